import type { Site } from "../app/create-app.ts";
import { render } from "../app/pages/views.ts";

const perPage = 10;

/** The response of the portal's search. */
interface Found {
  total: number;
  results: { id: string; title: string; type: string; modified: number; thumbnail?: string }[];
}

/** GET /content?page=1 - the items of the user, newest first: an example of your own route. */
export function myContent({ router, auth }: Site): void {
  router.get("/content", auth.requireSignIn(), async (req, res) => {
    const identity = await req.arcgis.identity();
    const page = /^[1-9]\d{0,3}$/.test(String(req.query.page)) ? Number(req.query.page) : 1;

    const { total, results }: Found = await req.arcgis.request(`${identity.portal}/search`, {
      params: {
        q: `owner:"${identity.username}"`,
        start: (page - 1) * perPage + 1,
        num: perPage,
        sortField: "modified",
        sortOrder: "desc",
      },
      httpMethod: "GET",
      authentication: identity,
    });

    render(res, "content", "content.title", {
      portal: identity.portal,
      items: results.slice(0, perPage),
      page,
      pages: Math.max(1, Math.ceil(total / perPage)),
      header: { user: req.arcgis.user, signOutUrl: req.arcgis.signOutUrl },
    });
  });
}

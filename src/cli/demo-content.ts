import { searchItems } from "@esri/arcgis-rest-portal";
import type { Site } from "../app/create-app.ts";
import { renderContent } from "../app/pages/views.ts";

const perPage = 10;

/** GET /content?page=1 - the items of the user, newest first: an example of a route of your own. */
export function myContent({ router, auth }: Site): void {
  router.get("/content", auth.requireSignIn(), async (req, res) => {
    const identity = await req.arcgis.identity();
    const page = /^[1-9]\d{0,3}$/.test(String(req.query.page)) ? Number(req.query.page) : 1;

    const { total, results } = await searchItems({
      q: `owner:"${identity.username}"`,
      start: (page - 1) * perPage + 1,
      num: perPage,
      sortField: "modified",
      sortOrder: "desc",
      authentication: identity,
      // Without it the library writes the token into the address, and follows a redirect with it.
      request: req.arcgis.request,
    });

    renderContent(res, {
      identity,
      items: results.slice(0, perPage),
      page,
      pages: Math.ceil(total / perPage),
    });
  });
}

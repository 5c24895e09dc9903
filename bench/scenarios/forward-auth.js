import { signedInUsers } from "../field.js";
import { alternate } from "../load.js";

/** What a reverse proxy asks with every request: whether the user may see the path, and who that is. */
export async function forwardAuth(field, plan) {
  const rules = [
    { path: "/about", allow: "everyone" },
    { path: "/admin", roles: ["org_admin"] },
    { path: "/plans", roles: ["org_publisher", "org_user"] },
  ];
  const settings = { TRUST_PROXY: "127.0.0.1", ACCESS: JSON.stringify(rules) };
  const app = await field.app("forward-auth", { settings });
  const bare = await field.peer("bare-204");
  const users = await signedInUsers(app, plan.users);
  const ask = (target) => ({ path: "/auth", headers: { "x-original-uri": target } });
  const expect = { status: 204, header: "x-auth-request-user" };
  const results = await alternate(
    [
      {
        id: "forward-auth",
        label: "GET /auth, signed in",
        children: [app],
        users,
        ...ask("/plans/a?b=1"),
        expect,
      },
      {
        id: "forward-auth-everyone",
        label: "GET /auth, a path for everyone",
        children: [app],
        ...ask("/about/us"),
        expect: { status: 204 },
      },
      {
        id: "forward-auth-refused",
        label: "GET /auth, signed out",
        children: [app],
        path: "/auth",
        headers: { "x-original-uri": "/plans", accept: "application/json" },
        expect: { status: 401 },
      },
      { id: "bare-204", label: "Express alone, 204", children: [bare], ...ask("/"), expect: { status: 204 } },
    ],
    plan,
  );
  await app.stop();
  await bare.stop();
  return results;
}

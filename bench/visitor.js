import { Agent, request } from "node:http";

/**
 * Where all servers under test believe to be reached: no server listens there. Visitors bring what is addressed to
 * it to the server they visit, as a proxy in front of it would, and so every server can take any free port.
 */
export const publicOrigin = "http://localhost:3000";

/** The callback that all of them have registered. */
export const redirectUri = `${publicOrigin}/authenticate`;

/** The users of the portal, as every page names them. */
export const usernames = [
  "user_page",
  ...Array.from({ length: 1_000 }, (_, index) => `user_${String(index).padStart(4, "0")}`),
];

// The time limit is shorter than that of servers, which is 5 s: who closes a connection last may lose a request on it.
const agent = new Agent({ keepAlive: true, maxSockets: 100, timeout: 3_000 });

/** A browser with cookies, as far as a sign-in needs one. It follows nothing by itself. */
export class Visitor {
  /**
   * @param {string} server the address of the server to visit
   * @param {Record<string, string>} [headers] of all requests
   */
  constructor(server, headers = {}) {
    this.server = server;
    this.headers = headers;
    this.cookies = new Map();
  }

  /** The `Cookie` header for the visited server. */
  get cookie() {
    return this.#cookiesFor(this.server);
  }

  get(url, headers = {}) {
    return this.#send("GET", url, headers);
  }

  post(url, form, headers = {}) {
    const type = { "Content-Type": "application/x-www-form-urlencoded" };
    return this.#send("POST", url, { ...type, ...headers }, new URLSearchParams(form).toString());
  }

  async #send(method, url, headers, body) {
    const target = new URL(url, this.server);
    const { origin } = target.origin === publicOrigin ? new URL(this.server) : target;
    const cookie = this.#cookiesFor(origin);
    const response = await new Promise((resolve, reject) => {
      const sent = { ...this.headers, ...headers, ...(cookie && { Cookie: cookie }) };
      const outgoing = request(`${origin}${target.pathname}${target.search}`, {
        method,
        headers: sent,
        agent,
      });
      outgoing.on("error", reject);
      outgoing.on("response", (incoming) => {
        let text = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk) => {
          text += chunk;
        });
        incoming.on("error", reject);
        // The end, not the headers: some stores save the session in between.
        incoming.on("end", () => resolve({ status: incoming.statusCode, headers: incoming.headers, text }));
      });
      outgoing.end(body);
    });
    const location = response.headers.location && new URL(response.headers.location, target).href;
    this.#keep(origin, response.headers["set-cookie"] ?? []);
    return { ...response, url: target.href, location };
  }

  #cookiesFor(origin) {
    const own = this.cookies.get(new URL(origin).origin) ?? new Map();
    return [...own].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  #keep(origin, setCookies) {
    const own = this.cookies.get(origin) ?? new Map();
    for (const line of setCookies) {
      const [pair] = line.split(";", 1);
      const [name] = pair.split("=", 1);
      const value = pair.slice(name.length + 1);
      const gone = value === "" || /;\s*max-age=0/i.test(line) || /;\s*expires=thu, 01 jan 1970/i.test(line);
      if (gone) own.delete(name);
      else own.set(name, value);
    }
    this.cookies.set(origin, own);
  }
}

function failed(message, status) {
  return Object.assign(new Error(message), { status });
}

/** Signs in with ArcGIS: to the server, to the sandbox portal, back, and on to the page that knows the user. */
export async function signInWithArcGIS(visitor, username = usernames[0]) {
  const { location: toPortal, status } = await visitor.get("/sign-in");
  if (!toPortal) throw failed(`/sign-in sent ${status}`, status);
  const { origin, pathname, searchParams } = new URL(toPortal);
  const allowed = await visitor.post(`${origin}${pathname}`, {
    ...Object.fromEntries(searchParams),
    username,
  });
  if (!allowed.location)
    throw failed(`the portal sent ${allowed.status}: ${allowed.text.slice(0, 200)}`, allowed.status);
  const back = await visitor.get(allowed.location);
  if (!back.location)
    throw failed(`the callback sent ${back.status}: ${back.text.slice(0, 200)}`, back.status);
  const landed = await visitor.get(back.location);
  if (!landed.text.includes(username))
    throw new Error(`no user on the page, ${landed.status} after a sign-in`);
}

/** Signs in with OpenID Connect: follows every redirect and fills in every form, until there is none. */
export async function signInWithOpenId(visitor, username = usernames[0]) {
  let page = await visitor.get("/login");
  for (let steps = 0; steps < 20; steps++) {
    const action = /<form[^>]* action="([^"]+)"/.exec(page.text)?.[1];
    if (page.location) page = await visitor.get(page.location);
    else if (action) {
      const hidden = [...page.text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
      const fields = Object.fromEntries(hidden.map(([, name, value]) => [name, value]));
      page = await visitor.post(new URL(action, page.url), {
        ...fields,
        login: username,
        password: "any",
      });
    } else return;
  }
  throw new Error("the sign-in at the OpenID provider goes in circles");
}

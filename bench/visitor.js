import { Agent, request } from "node:http";

/**
 * Where all servers under test believe to be reached: nobody listens there. Visitors bring what is addressed to
 * it to the server they visit, as a proxy in front of it would, and so every server can take any free port.
 */
export const publicOrigin = "http://localhost:3000";

/** The callback that all of them have registered. */
export const redirectUri = `${publicOrigin}/authenticate`;

/** Who signs in, as every page names them. */
export const person = "sandy_admin";

// The time limit is shorter than that of servers, which is 5 s: who closes a connection last may lose a request on it.
const agent = new Agent({ keepAlive: true, maxSockets: 100, timeout: 3_000 });

/** A browser with cookies, as far as a sign-in needs one. It follows nothing by itself. */
export class Visitor {
  /** @param {string} server the address of the server to visit */
  constructor(server) {
    this.server = server;
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
    const answer = await new Promise((resolve, reject) => {
      const sent = { ...headers, ...(cookie && { Cookie: cookie }) };
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
    const location = answer.headers.location && new URL(answer.headers.location, target).href;
    this.#keep(origin, answer.headers["set-cookie"] ?? []);
    return { ...answer, url: target.href, location };
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

/** Signs in with ArcGIS: to the server, to the sandbox portal, back, and on to the page that knows the person. */
export async function signInWithArcGIS(visitor) {
  const { location: toPortal, status } = await visitor.get("/sign-in");
  if (!toPortal) throw new Error(`/sign-in answered ${status}`);
  const { origin, pathname, searchParams } = new URL(toPortal);
  const allowed = await visitor.post(`${origin}${pathname}`, {
    ...Object.fromEntries(searchParams),
    username: person,
  });
  if (!allowed.location)
    throw new Error(`the portal answered ${allowed.status}: ${allowed.text.slice(0, 200)}`);
  const back = await visitor.get(allowed.location);
  if (!back.location) throw new Error(`the callback answered ${back.status}: ${back.text.slice(0, 200)}`);
  const landed = await visitor.get(back.location);
  if (!landed.text.includes(person)) throw new Error(`nobody is signed in, ${landed.status} after a sign-in`);
}

/** Signs in with OpenID Connect: follows every redirect and fills in every form, until there is none. */
export async function signInWithOpenId(visitor) {
  let answer = await visitor.get("/login");
  for (let steps = 0; steps < 20; steps++) {
    const action = /<form[^>]* action="([^"]+)"/.exec(answer.text)?.[1];
    if (answer.location) answer = await visitor.get(answer.location);
    else if (action) {
      const hidden = [...answer.text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
      const fields = Object.fromEntries(hidden.map(([, name, value]) => [name, value]));
      answer = await visitor.post(new URL(action, answer.url), {
        ...fields,
        login: person,
        password: "any",
      });
    } else return;
  }
  throw new Error("the sign-in at the OpenID provider goes in circles");
}

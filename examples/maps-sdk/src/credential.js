/**
 * What the server says at /api/credential, and `IdentityManager.registerToken` of the Maps SDK takes.
 *
 * @typedef {object} Credential
 * @property {string} server the portal's REST root
 * @property {string} token the access token; the refresh token stays on the server
 * @property {number} expires ms since 1970, by this browser's clock
 * @property {boolean} ssl
 * @property {string} userId
 */

/** Whatever the server answers, a tab does not ask more often than this by itself (ms). */
const leastWait = 2_000;
/** When the server could not be asked, it is asked again after this time (ms). */
const secondTry = 10_000;
/** How long a tab that could refresh waits for a tab that has done so already (ms). */
const patience = 200;

/**
 * Keeps a page in possession of an access token that is good for minutes: it asks the server for one, gives it to
 * `register`, and again five minutes before it ends (a fifth of its life, when that is shorter), when the page comes to
 * the front or back online after it should have, and whenever `refresh` is called.
 *
 * All tabs of a site share what one of them got: Web Locks let one ask at a time, and a BroadcastChannel tells the
 * others. When the session has ended, the page goes to the sign-in and comes back to where it was.
 *
 * @param {object} options
 * @param {(credential: Credential) => void} options.register
 * @param {string} [options.url] of our server's credential
 * @param {string} [options.signIn] of our server's sign-in
 * @param {string} [options.proxy] of our server's proxy
 * @param {() => string} [options.here] the local path to come back to
 * @param {number} [options.early] how long before the end a token is refreshed (ms)
 * @returns {Promise<{ refresh: (why?: { refused: boolean }) => Promise<Credential>, stop: () => void }>} when the first one
 *   is registered. `refresh` gives another one than the last, and with `refused` one that the portal has not ended before
 *   its time, as an error 498 says. It rejects when the server cannot be asked, and never settles when the page is on its
 *   way to the sign-in.
 */
export async function keepCredential({
  register,
  url = "/api/credential",
  signIn = "/sign-in",
  proxy = "/proxy",
  here = () => location.pathname + location.search + location.hash,
  early = 5 * 60_000,
}) {
  const channel = new BroadcastChannel("arcgis-credential");
  /** @type {Credential | undefined} */
  let current;
  /** When the server gave it (ms since 1970). It says which of two is newer; `expires` cannot, it is known to a second. */
  let since = 0;
  /** @type {Promise<Credential> | undefined} */
  let refreshing;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** When to refresh (ms since 1970). */
  let due = 0;

  channel.onmessage = ({ data }) => {
    if (!data.credential) {
      if (current && current.token !== data.token && since > data.since) tell();
    } else if (!current || data.since >= since) take(data.credential, data.since);
  };
  const whenBack = () => {
    if (document.visibilityState === "visible" && Date.now() >= due) refreshLater();
  };
  document.addEventListener("visibilitychange", whenBack);
  addEventListener("online", whenBack);
  addEventListener("pageshow", whenBack);

  // The first one comes from the server in any case: only its cookie knows who is signed in by now.
  share(await fetchCredential());
  return { refresh, stop };

  function refresh({ refused = false } = {}) {
    refreshing ??= navigator.locks
      .request("arcgis-credential", another.bind(undefined, current, refused))
      .finally(() => {
        refreshing = undefined;
      });
    return refreshing;
  }

  /** Gives a newer one than `last`: one that came while this tab waited, another tab's, or the server's. */
  async function another(last, refused) {
    if (current !== last) return current;
    channel.postMessage({ token: last.token, since });
    await new Promise((resolve) => setTimeout(resolve, patience));
    if (current !== last) return current;
    // The server refreshes a token when its proxy gets to hear that it is no good, and cannot know otherwise.
    if (refused) await fetch(`${proxy}?${last.server}/community/self?f=json`).catch(() => {});
    share(await fetchCredential());
    return current;
  }

  function refreshLater() {
    refresh().catch(() => wait(secondTry));
  }

  async function fetchCredential() {
    const response = await fetch(url, {
      headers: { Accept: "application/json" },
      cache: "no-store",
      signal: AbortSignal.timeout(15_000),
    });
    if (response.status === 401) return leave();
    if (!response.ok) throw new Error(`${url} answers ${response.status}`);
    const credential = await response.json();
    // This computer's clock may be wrong; the token ends by the server's.
    const ahead = Date.now() - Date.parse(response.headers.get("Date") ?? "");
    if (Math.abs(ahead) > 2_000) credential.expires += ahead;
    return credential;
  }

  function share(credential) {
    take(credential, Date.now());
    tell();
  }

  function tell() {
    channel.postMessage({ credential: current, since });
  }

  function take(credential, when) {
    // Another user has signed in: nothing of what this page shows is theirs.
    if (current && current.userId !== credential.userId) return location.reload();
    current = credential;
    since = when;
    register(credential);
    const left = credential.expires - Date.now();
    wait(Math.max(left - Math.min(early, left / 5), leastWait));
  }

  function wait(ms) {
    due = Date.now() + ms;
    clearTimeout(timer);
    timer = setTimeout(refreshLater, ms);
  }

  /** To the sign-in, and back here. */
  function leave() {
    stop();
    location.assign(`${signIn}?returnTo=${encodeURIComponent(here())}`);
    return new Promise(() => {});
  }

  function stop() {
    clearTimeout(timer);
    channel.close();
    document.removeEventListener("visibilitychange", whenBack);
    removeEventListener("online", whenBack);
    removeEventListener("pageshow", whenBack);
  }
}

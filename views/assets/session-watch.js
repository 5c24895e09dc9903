// Keeps a page in step with its user's session. A page of yours can load it, too, as a module: /assets/session-watch.js.
//
// Use of the session is: opening a page, and clicks, keys and the wheel on it. This script tells the server of those once
// a minute at most. What a page requests by itself is no use, and its script asks for the session with touch=false.
//
// Two minutes before the session ends, #session-warning appears, if the page has one. When it has ended, here or in
// another tab, the page gives way to /signed-out, unless it cancels the event "session-ended". "session-found" says that
// there is one (again). Back and Forward bring no page as it was.

const base = import.meta.url.replace(/assets\/(?:[0-9a-f]{12}\/)?[\w-]+\.js$/, "");
const warning = document.querySelector("#session-warning");
// Safari has none before 15.4: there, a tab notices when the user comes back to it.
export const channel =
  "BroadcastChannel" in globalThis ? new BroadcastChannel("arcgis-sign-in:session") : undefined;
/** Ways to end a session that no tab hears of are noticed this late on a page that is looked at (ms). */
const pollMs = 5 * 60_000;
/** When the server could not be asked, it is asked again after this time (ms). */
const retryMs = 30_000;
const longestTimer = 24 * 60 * 60_000;

/** Whose page this is. */
let owner;
/** Whether it shows what only a user sees; undefined until the server was asked, if the page does not tell. */
let isPersonal = document.querySelector(".who") ? true : undefined;
/** Undefined until the server was asked. */
let isSignedIn;
/** When the session ends, by this browser's clock (ms since 1970), and whether use can put that off. */
let end = Number.POSITIVE_INFINITY;
let isFinal = false;
/** The most time that was left (ms). After a use, that is the idle time. */
let longest = 0;
let notedAt = Date.now();
let noting;
let timer;
let looking;

/** Asks the server for the session, and acts on the response. `touch`: the user is there. */
export function look({ touch = false } = {}) {
  if (!looking || touch) {
    const asking = ask(touch).finally(() => {
      if (looking === asking) looking = undefined;
    });
    looking = asking;
  }
  return looking;
}

async function ask(touch) {
  const headers = { Accept: "application/json" };
  const response = await fetch(`${base}api/session?touch=${touch}`, { headers }).catch(() => undefined);
  const session = response?.ok ? await response.json().catch(() => undefined) : undefined;
  if (response?.status === 401) return lose();
  if (session) find(session, Date.parse(response.headers.get("Date")));
  // Whether the user is still signed in cannot be known.
  else if (Date.now() >= end) document.body.hidden = true;
  plan(session ? 1_000 : retryMs);
}

/** @param serverNow ms since 1970: this computer's clock may be wrong */
function find({ username, sessionExpires, signInExpires }, serverNow) {
  // Another user sees other things.
  if (owner !== undefined && owner !== username && isPersonal) return location.reload();
  owner = username;
  isPersonal ??= true;
  const left = Date.parse(sessionExpires) - (serverNow || Date.now());
  end = Date.now() + left;
  isFinal = sessionExpires === signInExpires;
  longest = Math.max(longest, left);
  warn(left <= earlyMs());
  document.body.hidden = false;
  if (isSignedIn) return;
  isSignedIn = true;
  channel?.postMessage({ base, username });
  dispatchEvent(new Event("session-found"));
}

function lose() {
  isPersonal ??= false;
  clearTimeout(timer);
  warn(false);
  if (isSignedIn !== false) channel?.postMessage({ base });
  isSignedIn = false;
  if (!isPersonal || !dispatchEvent(new Event("session-ended", { cancelable: true }))) return;
  document.body.hidden = true;
  const here = location.pathname + location.search + location.hash;
  // In place of this page: Back does not lead to it.
  location.replace(`${base}signed-out?returnTo=${encodeURIComponent(here)}`);
}

function warn(isDue) {
  if (!warning) return;
  warning.hidden = !isDue;
  if (!isDue) return;
  for (const part of warning.querySelectorAll("[data-end]"))
    part.hidden = part.dataset.end !== (isFinal ? "final" : "idle");
  const time = new Intl.DateTimeFormat(warning.dataset.locale, { hour: "2-digit", minute: "2-digit" }).format(
    end,
  );
  for (const element of warning.querySelectorAll("time")) element.textContent = time;
}

/** How long before the end to warn (ms): two minutes, or half of a short session. */
function earlyMs() {
  return Math.min(2 * 60_000, longest / 2);
}

/** Asks again when there may be something to do, and not before: in a hidden page that is the end. */
function plan(atLeast = 0) {
  clearTimeout(timer);
  if (!isSignedIn) return;
  const left = end - Date.now();
  const wait = document.hidden || left <= earlyMs() ? left : Math.min(left - earlyMs(), pollMs);
  timer = setTimeout(look, Math.min(Math.max(wait, atLeast), longestTimer));
}

/** The first use is told at once, the next ones together. What comes last is told as well, if later. */
export function noteUse() {
  if (!isSignedIn || noting) return;
  const everyMs = Math.min(60_000, longest / 10);
  noting = setTimeout(
    () => {
      noting = undefined;
      notedAt = Date.now();
      look({ touch: true });
    },
    notedAt + everyMs - Date.now(),
  );
}

for (const type of ["pointerdown", "keydown", "wheel"])
  addEventListener(type, ({ isTrusted }) => isTrusted && noteUse(), { capture: true, passive: true });
// Assistive technology clicks without a pointer or a key.
warning?.addEventListener("click", () => look({ touch: true }));

// Each tab says who is signed in when that is new to it, and which sign-out it has left for. One that thinks otherwise
// asks the server.
channel?.addEventListener("message", ({ data }) => {
  if (data.base === base && data.username !== (isSignedIn ? owner : undefined)) look();
});
document.addEventListener("visibilitychange", () => (document.hidden ? plan() : look()));
addEventListener("focus", () => look());

let leavingFor = "";
addEventListener("submit", ({ target }) => {
  leavingFor = target.action;
});
addEventListener("click", ({ target }) => {
  leavingFor = target.closest?.("a")?.href ?? leavingFor;
});
// A page that the browser keeps for Back and Forward is kept blank, and asked for again when it returns.
addEventListener("pagehide", () => {
  document.body.hidden = true;
  // By now the server has responded.
  if (/\/sign-out$/.test(leavingFor)) channel?.postMessage({ base: leavingFor.replace(/sign-out$/, "") });
});
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) location.reload();
});

look({ touch: true });

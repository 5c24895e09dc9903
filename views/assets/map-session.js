import { element } from "./map-dom.js";
import { say } from "./map-words.js";

/** What a window posts after a sign-in. */
const done = "arcgis-sign-in:done";

/**
 * Says when the session has ended, and lets the person sign in again in a window of its own: this page stays as it is.
 *
 * @param {HTMLElement} banner
 * @param {object} options
 * @param {string} options.base the path under which this server is mounted
 * @param {string} options.username whose page this is
 * @param {() => void} options.onReturn called when the same person is signed in again
 */
export function watchSession(banner, { base, username, onReturn }) {
  const button = element("button", { type: "button", class: "button" }, say("signInAgain"));
  banner.append(element("p", {}, element("strong", {}, say("ended")), ` ${say("endedNote")}`), button);

  button.addEventListener("click", () => {
    const small = "popup,width=520,height=680";
    const opened = window.open(`${base}/sign-in?popup=1`, "arcgis-sign-in", small);
    if (opened) return;
    // The browser allows no such window: this one goes there, and comes back to the same extent.
    const here = location.pathname + location.hash;
    location.assign(`${base}/sign-in?returnTo=${encodeURIComponent(here)}`);
  });

  addEventListener("message", ({ origin, data }) => {
    if (origin === location.origin && data === done) look();
  });
  // Only pages of this origin can speak here.
  new BroadcastChannel(done).addEventListener("message", look);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) look();
  });
  addEventListener("focus", () => {
    if (!banner.hidden) look();
  });

  /** Asks the server who is signed in. */
  async function look() {
    const response = await fetch(`${base}/api/session`).catch(() => undefined);
    if (response?.status === 401) return end();
    if (!response?.ok) return;
    const person = await response.json();
    // Another user sees other things.
    if (person.username !== username) return location.reload();
    if (banner.hidden) return;
    banner.hidden = true;
    onReturn();
  }

  function end() {
    banner.hidden = false;
  }

  return { end };
}

import { element } from "./map-dom.js";
import { say } from "./map-words.js";
import { look } from "./session-watch.js";

/** What a window posts after a sign-in. */
const done = "arcgis-sign-in:done";

/**
 * Hides the page when the session has ended, and lets the person sign in again in a window of its own: then the page is
 * as it was.
 *
 * @param {HTMLElement} banner
 * @param {object} options
 * @param {string} options.base the path under which this server is mounted
 * @param {() => void} options.onReturn called when the same person is signed in again
 */
export function watchSession(banner, { base, onReturn }) {
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
  new BroadcastChannel(done).addEventListener("message", () => look());
  addEventListener("session-ended", (event) => {
    event.preventDefault();
    show(true);
  });
  addEventListener("session-found", () => {
    if (banner.hidden) return;
    show(false);
    onReturn();
  });

  function show(isEnded) {
    banner.hidden = !isEnded;
    document.body.classList.toggle("ended", isEnded);
  }
}

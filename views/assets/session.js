// The pages work without this script. It counts down to the next token refresh, shows dates in the visitor's
// own time zone, and follows what becomes of the session in other tabs.

import { channel } from "./session-watch.js";

const countdown = document.querySelector("#refresh time");
if (countdown) {
  const expires = Date.parse(countdown.dateTime);
  // The visitor's clock may be wrong; the server's is the one that counts.
  const clockOffset = Date.parse(countdown.dataset.now) - Date.now();

  const tick = () => {
    const left = expires - clockOffset - Date.now();
    if (left <= 0) {
      countdown.parentElement.textContent = countdown.dataset.due;
      return;
    }
    const seconds = Math.floor(left / 1000);
    const twoDigits = String(seconds % 60).padStart(2, "0");
    countdown.textContent = countdown.dataset.form
      .replace("{minutes}", Math.floor(seconds / 60))
      .replace("{seconds}", twoDigits);
    setTimeout(tick, (left % 1000) + 1);
  };
  tick();
}

for (const time of document.querySelectorAll("time[data-locale]")) {
  // The language of the page, so only the time zone changes.
  time.textContent = new Intl.DateTimeFormat(time.dataset.locale, {
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
  }).format(Date.parse(time.dateTime));
}

// The start page shows who is signed in at the other portals.
channel?.addEventListener("message", ({ data: { base, username = "" } }) => {
  for (const { dataset } of document.querySelectorAll("[data-portal]"))
    if (base === location.origin + dataset.portal && username !== dataset.user) location.reload();
});

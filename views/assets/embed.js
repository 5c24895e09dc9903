// Gives the app in the frame the user's access token when it asks, as ArcGISIdentityManager.enablePostMessageAuth
// of arcgis-rest-js does. That one would hold the token all the time; here it is fetched for each question, so it is
// good for some minutes, and after a sign-out nothing is handed over.

import { look, noteUse } from "./session-watch.js";

const frame = document.querySelector("#app");
const origins = frame.dataset.origins.split(" ");

addEventListener("message", async ({ data, origin, source }) => {
  if (source !== frame.contentWindow || !origins.includes(origin)) return;
  if (data?.type !== "arcgis:auth:requestCredential") return;
  // Addressed to the origin that asked: should the frame show another page by then, that one does not get it.
  source.postMessage(await response(), origin);
});

// What the user does inside of the frame stays there, but for the click that leads into it.
addEventListener("blur", () => {
  if (document.activeElement === frame) noteUse();
});

// Now, and not in the page: an app that asks before this script listens would wait forever.
frame.src = frame.dataset.src;

async function response() {
  try {
    const fetched = await fetch(frame.dataset.api, { headers: { Accept: "application/json" } });
    if (fetched.status === 401) return signedOut();
    if (!fetched.ok) throw new Error(`the server responds ${fetched.status}`);
    const credential = await fetched.json();
    // Without the REST path, as arcgis-rest-js sends it.
    credential.server = credential.server.replace(/\/sharing\/rest$/, "");
    return { type: "arcgis:auth:credential", credential };
  } catch {
    return errorOf("credentialError", "No token could be had, try again in a minute");
  }
}

function signedOut() {
  // The page goes, when the app has been told.
  setTimeout(look);
  return errorOf(
    "tokenExpiredError",
    "The sign-in has ended, and no token is returned to the child application",
  );
}

function errorOf(name, message) {
  return { type: "arcgis:auth:error", error: { name, message } };
}

// The page of a session that has ended goes back to where it was when the user has signed in again, in another tab too.

import "./session-watch.js";

const { href } = document.querySelector("#sign-in-again");
// A path of this site: the server has checked it.
addEventListener("session-found", () => location.replace(new URL(href).searchParams.get("returnTo")));

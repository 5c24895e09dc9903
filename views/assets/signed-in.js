// The last page of a window in which somebody signed in: it says so to the pages of this origin, and to nobody else.

/** What the map listens for. */
const done = "arcgis-sign-in:done";

window.opener?.postMessage(done, location.origin);
// A portal may have parted this window from the one that opened it.
new BroadcastChannel(done).postMessage(done);
window.close();

// The last page of a sign-in in a window of its own: it tells the pages of this origin, and no others.

/** What the map listens for. */
const done = "arcgis-sign-in:done";

window.opener?.postMessage(done, location.origin);
// A portal may have parted this window from the one that opened it.
new BroadcastChannel(done).postMessage(done);
window.close();

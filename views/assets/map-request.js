/** An error in the response of this server or an ArcGIS service; `code` is a word of ours, or ArcGIS's number. */
export class Failure extends Error {
  constructor({ code, message }) {
    super(message);
    this.code = code;
  }
}

/**
 * Requests JSON of a service through this server's proxy, which adds the user's token.
 *
 * @param {string} proxy `/proxy`, below the path under which this server is mounted
 * @param {string} url
 * @throws {Failure}
 */
export async function ask(proxy, url) {
  const response = await fetch(`${proxy}?${url}`).catch(() => {
    throw new Failure({ code: "unreachable", message: "The server cannot be reached." });
  });
  const body = await response.json().catch(() => undefined);
  if (typeof body !== "object" || body === null) {
    throw new Failure({ code: "unreadable", message: "The response cannot be read." });
  }
  if (body.error) throw new Failure(body.error);
  return body;
}

/** Whether an error says that the session of this page has ended. Only another sign-in helps then. */
export function isSignedOut({ code }) {
  return code === "signed_out" || code === "session_ended";
}

/** An error that this server or an ArcGIS service has answered; `code` is a word of ours, or ArcGIS's number. */
export class Failure extends Error {
  constructor({ code, message }) {
    super(message);
    this.code = code;
  }
}

/**
 * Asks a service through this server's proxy, which adds the person's token.
 *
 * @param {string} proxy `/proxy`, below the path under which this server is mounted
 * @param {string} url
 * @throws {Failure}
 */
export async function ask(proxy, url) {
  const response = await fetch(`${proxy}?${url}`).catch(() => {
    throw new Failure({ code: "unreachable", message: "The server cannot be reached." });
  });
  const answer = await response.json().catch(() => undefined);
  if (typeof answer !== "object" || answer === null) {
    throw new Failure({ code: "unreadable", message: "The answer cannot be read." });
  }
  if (answer.error) throw new Failure(answer.error);
  return answer;
}

/** Whether an error says that the session of this page is over. Another sign-in helps then, and nothing else does. */
export function isSignedOut({ code }) {
  return code === "signed_out" || code === "session_ended";
}

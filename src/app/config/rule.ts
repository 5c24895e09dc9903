/** A rule after which no other rule needs to look: one wrong value gets one sentence. */
export const stop = (error: string) => ({ abort: true, error });

/** Two sentences for a value of the wrong type: one for when there is none at all. */
export const missingOr = (missing: string | undefined, error: string) => ({
  error: (issue: { input?: unknown }) => (issue.input === undefined ? missing : error),
});

/** A portal is given 10 s at most; beyond that is /proxy, which may wait longer. */
const portalBounds = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/**
 * What this process has counted since its start. Plain numbers, so that counting costs nanoseconds and nothing has
 * to be loaded for it: `metricsText` makes Prometheus's format of them when somebody asks.
 */
export const counts = {
    /** Browsers that were sent to the portal. */
    signInsStarted: tally("all"),
    /** Callbacks: "signed_in", or the code of the error. */
    signIns: tally("signed_in"),
    signOuts: tally("all"),
    refreshes: tally("renewed", "refused", "failed"),
    revocations: tally("revoked", "failed"),
    /** Errors that were answered, by code. */
    refusals: tally(),
    portalSeconds: durations(portalBounds),
    storeErrors: tally("all"),
    /** Bytes of bodies through /proxy. */
    proxyBytes: tally("sent", "received"),
};
function tally(...known) {
    // From zero on, because a rate cannot be told from the first value that is seen.
    const sums = new Map(known.map((label) => [label, 0]));
    return { sums, add: (label, amount = 1) => void sums.set(label, (sums.get(label) ?? 0) + amount) };
}
function durations(bounds) {
    const byLabel = new Map();
    return {
        bounds,
        byLabel,
        observe(label, seconds) {
            const found = byLabel.get(label) ?? { buckets: Array(bounds.length + 1).fill(0), sum: 0 };
            byLabel.set(label, found);
            const index = bounds.findIndex((bound) => seconds <= bound);
            const bucket = index === -1 ? bounds.length : index;
            found.buckets[bucket] = (found.buckets[bucket] ?? 0) + 1;
            found.sum += seconds;
        },
    };
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoiY291bnRzLmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsiY291bnRzLnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiJBQXFCQSxvRkFBb0Y7QUFDcEYsTUFBTSxZQUFZLEdBQUcsQ0FBQyxLQUFLLEVBQUUsSUFBSSxFQUFFLEdBQUcsRUFBRSxJQUFJLEVBQUUsR0FBRyxFQUFFLENBQUMsRUFBRSxHQUFHLEVBQUUsQ0FBQyxFQUFFLEVBQUUsRUFBRSxFQUFFLENBQUMsQ0FBQztBQUV0RTs7O0dBR0c7QUFDSCxNQUFNLENBQUMsTUFBTSxNQUFNLEdBQUc7SUFDcEIsNkNBQTZDO0lBQzdDLGNBQWMsRUFBRSxLQUFLLENBQUMsS0FBSyxDQUFDO0lBQzVCLHdEQUF3RDtJQUN4RCxPQUFPLEVBQUUsS0FBSyxDQUFDLFdBQVcsQ0FBQztJQUMzQixRQUFRLEVBQUUsS0FBSyxDQUFDLEtBQUssQ0FBQztJQUN0QixTQUFTLEVBQUUsS0FBSyxDQUFDLFNBQVMsRUFBRSxTQUFTLEVBQUUsUUFBUSxDQUFDO0lBQ2hELFdBQVcsRUFBRSxLQUFLLENBQUMsU0FBUyxFQUFFLFFBQVEsQ0FBQztJQUN2QywwQ0FBMEM7SUFDMUMsUUFBUSxFQUFFLEtBQUssRUFBRTtJQUNqQixhQUFhLEVBQUUsU0FBUyxDQUFDLFlBQVksQ0FBQztJQUN0QyxXQUFXLEVBQUUsS0FBSyxDQUFDLEtBQUssQ0FBQztJQUN6QixzQ0FBc0M7SUFDdEMsVUFBVSxFQUFFLEtBQUssQ0FBQyxNQUFNLEVBQUUsVUFBVSxDQUFDO0NBQ3RDLENBQUM7QUFFRixTQUFTLEtBQUssQ0FBQyxHQUFHLEtBQWU7SUFDL0IsaUZBQWlGO0lBQ2pGLE1BQU0sSUFBSSxHQUFHLElBQUksR0FBRyxDQUFDLEtBQUssQ0FBQyxHQUFHLENBQUMsQ0FBQyxLQUFLLEVBQUUsRUFBRSxDQUFDLENBQUMsS0FBSyxFQUFFLENBQUMsQ0FBQyxDQUFDLENBQUMsQ0FBQztJQUN2RCxPQUFPLEVBQUUsSUFBSSxFQUFFLEdBQUcsRUFBRSxDQUFDLEtBQUssRUFBRSxNQUFNLEdBQUcsQ0FBQyxFQUFFLEVBQUUsQ0FBQyxLQUFLLElBQUksQ0FBQyxHQUFHLENBQUMsS0FBSyxFQUFFLENBQUMsSUFBSSxDQUFDLEdBQUcsQ0FBQyxLQUFLLENBQUMsSUFBSSxDQUFDLENBQUMsR0FBRyxNQUFNLENBQUMsRUFBRSxDQUFDO0FBQ3JHLENBQUM7QUFFRCxTQUFTLFNBQVMsQ0FBQyxNQUF5QjtJQUMxQyxNQUFNLE9BQU8sR0FBRyxJQUFJLEdBQUcsRUFBNEIsQ0FBQztJQUNwRCxPQUFPO1FBQ0wsTUFBTTtRQUNOLE9BQU87UUFDUCxPQUFPLENBQUMsS0FBSyxFQUFFLE9BQU87WUFDcEIsTUFBTSxLQUFLLEdBQUcsT0FBTyxDQUFDLEdBQUcsQ0FBQyxLQUFLLENBQUMsSUFBSSxFQUFFLE9BQU8sRUFBRSxLQUFLLENBQUMsTUFBTSxDQUFDLE1BQU0sR0FBRyxDQUFDLENBQUMsQ0FBQyxJQUFJLENBQUMsQ0FBQyxDQUFDLEVBQUUsR0FBRyxFQUFFLENBQUMsRUFBRSxDQUFDO1lBQzFGLE9BQU8sQ0FBQyxHQUFHLENBQUMsS0FBSyxFQUFFLEtBQUssQ0FBQyxDQUFDO1lBQzFCLE1BQU0sS0FBSyxHQUFHLE1BQU0sQ0FBQyxTQUFTLENBQUMsQ0FBQyxLQUFLLEVBQUUsRUFBRSxDQUFDLE9BQU8sSUFBSSxLQUFLLENBQUMsQ0FBQztZQUM1RCxNQUFNLE1BQU0sR0FBRyxLQUFLLEtBQUssQ0FBQyxDQUFDLENBQUMsQ0FBQyxDQUFDLE1BQU0sQ0FBQyxNQUFNLENBQUMsQ0FBQyxDQUFDLEtBQUssQ0FBQztZQUNwRCxLQUFLLENBQUMsT0FBTyxDQUFDLE1BQU0sQ0FBQyxHQUFHLENBQUMsS0FBSyxDQUFDLE9BQU8sQ0FBQyxNQUFNLENBQUMsSUFBSSxDQUFDLENBQUMsR0FBRyxDQUFDLENBQUM7WUFDekQsS0FBSyxDQUFDLEdBQUcsSUFBSSxPQUFPLENBQUM7UUFDdkIsQ0FBQztLQUNGLENBQUM7QUFDSixDQUFDIn0=
/** A file system may note times only every 10 ms or so: what was written twice in that time can look the same. */
const settledAfterMs = 100;
/**
 * Remembers what was made of records, as long as they are in the same version. The oldest go first.
 *
 * @param most how many of them
 */
export function memory(most) {
    const kept = new Map();
    return {
        /** Gives what was made of this version of a record; `undefined` when that is not known for certain. */
        recall(name, version) {
            const known = kept.get(name);
            return known?.isSettled && known.version === version ? known.made : undefined;
        },
        /**
         * Remembers what was made of a version. It counts only if it was read a while after that version was first
         * seen, by a clock that nobody can set: then no other state of the record can have had the same one.
         *
         * @param readAt when the reading began (ms, `performance.now`)
         */
        remember(name, version, made, readAt) {
            const known = kept.get(name);
            const sightedAt = known?.version === version ? known.sightedAt : performance.now();
            kept.delete(name);
            kept.set(name, { made, version, sightedAt, isSettled: readAt - sightedAt >= settledAfterMs });
            const [oldest] = kept.keys();
            if (kept.size > most && oldest)
                kept.delete(oldest);
        },
        forget: (name) => kept.delete(name),
    };
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoibWVtb3J5LmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsibWVtb3J5LnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiJBQUFBLGtIQUFrSDtBQUNsSCxNQUFNLGNBQWMsR0FBRyxHQUFHLENBQUM7QUFFM0I7Ozs7R0FJRztBQUNILE1BQU0sVUFBVSxNQUFNLENBQUksSUFBWTtJQUNwQyxNQUFNLElBQUksR0FBRyxJQUFJLEdBQUcsRUFBK0UsQ0FBQztJQUVwRyxPQUFPO1FBQ0wsdUdBQXVHO1FBQ3ZHLE1BQU0sQ0FBQyxJQUFZLEVBQUUsT0FBZTtZQUNsQyxNQUFNLEtBQUssR0FBRyxJQUFJLENBQUMsR0FBRyxDQUFDLElBQUksQ0FBQyxDQUFDO1lBQzdCLE9BQU8sS0FBSyxFQUFFLFNBQVMsSUFBSSxLQUFLLENBQUMsT0FBTyxLQUFLLE9BQU8sQ0FBQyxDQUFDLENBQUMsS0FBSyxDQUFDLElBQUksQ0FBQyxDQUFDLENBQUMsU0FBUyxDQUFDO1FBQ2hGLENBQUM7UUFFRDs7Ozs7V0FLRztRQUNILFFBQVEsQ0FBQyxJQUFZLEVBQUUsT0FBZSxFQUFFLElBQU8sRUFBRSxNQUFjO1lBQzdELE1BQU0sS0FBSyxHQUFHLElBQUksQ0FBQyxHQUFHLENBQUMsSUFBSSxDQUFDLENBQUM7WUFDN0IsTUFBTSxTQUFTLEdBQUcsS0FBSyxFQUFFLE9BQU8sS0FBSyxPQUFPLENBQUMsQ0FBQyxDQUFDLEtBQUssQ0FBQyxTQUFTLENBQUMsQ0FBQyxDQUFDLFdBQVcsQ0FBQyxHQUFHLEVBQUUsQ0FBQztZQUNuRixJQUFJLENBQUMsTUFBTSxDQUFDLElBQUksQ0FBQyxDQUFDO1lBQ2xCLElBQUksQ0FBQyxHQUFHLENBQUMsSUFBSSxFQUFFLEVBQUUsSUFBSSxFQUFFLE9BQU8sRUFBRSxTQUFTLEVBQUUsU0FBUyxFQUFFLE1BQU0sR0FBRyxTQUFTLElBQUksY0FBYyxFQUFFLENBQUMsQ0FBQztZQUM5RixNQUFNLENBQUMsTUFBTSxDQUFDLEdBQUcsSUFBSSxDQUFDLElBQUksRUFBRSxDQUFDO1lBQzdCLElBQUksSUFBSSxDQUFDLElBQUksR0FBRyxJQUFJLElBQUksTUFBTTtnQkFBRSxJQUFJLENBQUMsTUFBTSxDQUFDLE1BQU0sQ0FBQyxDQUFDO1FBQ3RELENBQUM7UUFFRCxNQUFNLEVBQUUsQ0FBQyxJQUFZLEVBQVcsRUFBRSxDQUFDLElBQUksQ0FBQyxNQUFNLENBQUMsSUFBSSxDQUFDO0tBQ3JELENBQUM7QUFDSixDQUFDIn0=
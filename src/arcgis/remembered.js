/** Enough for every person and server of a large organisation. */
const most = 1_000;
/** Remembers answers for so long (ms). A failure is not remembered. */
export function remembered(lifeMs) {
    const known = new Map();
    return {
        get(key, ask) {
            const found = known.get(key);
            if (found && Date.now() < found.until)
                return found.pending;
            const entry = {
                pending: ask(),
                until: Date.now() + lifeMs,
            };
            entry.pending.then((answer) => {
                entry.answer = answer;
            }, () => {
                if (known.get(key) === entry)
                    known.delete(key);
            });
            known.delete(key);
            known.set(key, entry);
            const [oldest] = known.keys();
            if (known.size > most && oldest !== undefined)
                known.delete(oldest);
            return entry.pending;
        },
        forget(answer) {
            for (const [key, entry] of known)
                if (entry.answer === answer)
                    known.delete(key);
        },
    };
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicmVtZW1iZXJlZC5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbInJlbWVtYmVyZWQudHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBT0Esa0VBQWtFO0FBQ2xFLE1BQU0sSUFBSSxHQUFHLEtBQUssQ0FBQztBQUVuQix1RUFBdUU7QUFDdkUsTUFBTSxVQUFVLFVBQVUsQ0FBSSxNQUFjO0lBQzFDLE1BQU0sS0FBSyxHQUFHLElBQUksR0FBRyxFQUE4RCxDQUFDO0lBRXBGLE9BQU87UUFDTCxHQUFHLENBQUMsR0FBRyxFQUFFLEdBQUc7WUFDVixNQUFNLEtBQUssR0FBRyxLQUFLLENBQUMsR0FBRyxDQUFDLEdBQUcsQ0FBQyxDQUFDO1lBQzdCLElBQUksS0FBSyxJQUFJLElBQUksQ0FBQyxHQUFHLEVBQUUsR0FBRyxLQUFLLENBQUMsS0FBSztnQkFBRSxPQUFPLEtBQUssQ0FBQyxPQUFPLENBQUM7WUFDNUQsTUFBTSxLQUFLLEdBQXVEO2dCQUNoRSxPQUFPLEVBQUUsR0FBRyxFQUFFO2dCQUNkLEtBQUssRUFBRSxJQUFJLENBQUMsR0FBRyxFQUFFLEdBQUcsTUFBTTthQUMzQixDQUFDO1lBQ0YsS0FBSyxDQUFDLE9BQU8sQ0FBQyxJQUFJLENBQ2hCLENBQUMsTUFBTSxFQUFFLEVBQUU7Z0JBQ1QsS0FBSyxDQUFDLE1BQU0sR0FBRyxNQUFNLENBQUM7WUFDeEIsQ0FBQyxFQUNELEdBQUcsRUFBRTtnQkFDSCxJQUFJLEtBQUssQ0FBQyxHQUFHLENBQUMsR0FBRyxDQUFDLEtBQUssS0FBSztvQkFBRSxLQUFLLENBQUMsTUFBTSxDQUFDLEdBQUcsQ0FBQyxDQUFDO1lBQ2xELENBQUMsQ0FDRixDQUFDO1lBQ0YsS0FBSyxDQUFDLE1BQU0sQ0FBQyxHQUFHLENBQUMsQ0FBQztZQUNsQixLQUFLLENBQUMsR0FBRyxDQUFDLEdBQUcsRUFBRSxLQUFLLENBQUMsQ0FBQztZQUN0QixNQUFNLENBQUMsTUFBTSxDQUFDLEdBQUcsS0FBSyxDQUFDLElBQUksRUFBRSxDQUFDO1lBQzlCLElBQUksS0FBSyxDQUFDLElBQUksR0FBRyxJQUFJLElBQUksTUFBTSxLQUFLLFNBQVM7Z0JBQUUsS0FBSyxDQUFDLE1BQU0sQ0FBQyxNQUFNLENBQUMsQ0FBQztZQUNwRSxPQUFPLEtBQUssQ0FBQyxPQUFPLENBQUM7UUFDdkIsQ0FBQztRQUVELE1BQU0sQ0FBQyxNQUFNO1lBQ1gsS0FBSyxNQUFNLENBQUMsR0FBRyxFQUFFLEtBQUssQ0FBQyxJQUFJLEtBQUs7Z0JBQUUsSUFBSSxLQUFLLENBQUMsTUFBTSxLQUFLLE1BQU07b0JBQUUsS0FBSyxDQUFDLE1BQU0sQ0FBQyxHQUFHLENBQUMsQ0FBQztRQUNuRixDQUFDO0tBQ0YsQ0FBQztBQUNKLENBQUMifQ==
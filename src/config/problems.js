import { nearest } from "./nearest.js";
import { schema } from "./settings.js";
/** Turns what zod found into lines for people: the key, what is wrong, the cure, the place. No line holds a value. */
export function problemLines(issues, given) {
    const lines = issues.flatMap((issue) => {
        if (issue.code === "unrecognized_keys")
            return issue.keys.map((key) => `${unknownKey(key)}${placeOf(given.get(key))}`);
        const [key, index] = issue.path;
        const found = given.get(String(key));
        const entry = typeof index === "number" && isList(found?.value) ? `value ${index + 1} ` : "";
        return `${String(key)}: ${entry}${issue.message}${placeOf(found)}`;
    });
    return [...new Set(lines)];
}
const placeOf = (found) => (found?.from === undefined ? "" : ` (set in ${found.from})`);
const isList = (value) => (typeof value === "string" ? value.includes(",") : Array.isArray(value));
function unknownKey(key) {
    const meant = nearest(key, Object.keys(schema.shape));
    if (meant !== undefined && /^[\w.-]{1,31}$/.test(key))
        return `${key}: is not a setting. Did you mean ${meant}?`;
    if (/^NODE_[A-Z_]+$/.test(key))
        return `${key}: is read by Node.js itself. Set it in the environment instead.`;
    // A secret on a line of its own looks like a key. The shortest secret has 32 characters and hardly lacks digits.
    const name = /^[A-Za-z_.-]{1,31}$/.test(key) ? key : "A key that is not shown here";
    return `${name}: is not a setting. Remove it; the README lists the settings.`;
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicHJvYmxlbXMuanMiLCJzb3VyY2VSb290IjoiIiwic291cmNlcyI6WyJwcm9ibGVtcy50cyJdLCJuYW1lcyI6W10sIm1hcHBpbmdzIjoiQUFDQSxPQUFPLEVBQUUsT0FBTyxFQUFFLE1BQU0sY0FBYyxDQUFDO0FBQ3ZDLE9BQU8sRUFBRSxNQUFNLEVBQUUsTUFBTSxlQUFlLENBQUM7QUFRdkMsc0hBQXNIO0FBQ3RILE1BQU0sVUFBVSxZQUFZLENBQzFCLE1BQW1DLEVBQ25DLEtBQWlDO0lBRWpDLE1BQU0sS0FBSyxHQUFHLE1BQU0sQ0FBQyxPQUFPLENBQUMsQ0FBQyxLQUFLLEVBQUUsRUFBRTtRQUNyQyxJQUFJLEtBQUssQ0FBQyxJQUFJLEtBQUssbUJBQW1CO1lBQ3BDLE9BQU8sS0FBSyxDQUFDLElBQUksQ0FBQyxHQUFHLENBQUMsQ0FBQyxHQUFHLEVBQUUsRUFBRSxDQUFDLEdBQUcsVUFBVSxDQUFDLEdBQUcsQ0FBQyxHQUFHLE9BQU8sQ0FBQyxLQUFLLENBQUMsR0FBRyxDQUFDLEdBQUcsQ0FBQyxDQUFDLEVBQUUsQ0FBQyxDQUFDO1FBQ2pGLE1BQU0sQ0FBQyxHQUFHLEVBQUUsS0FBSyxDQUFDLEdBQUcsS0FBSyxDQUFDLElBQUksQ0FBQztRQUNoQyxNQUFNLEtBQUssR0FBRyxLQUFLLENBQUMsR0FBRyxDQUFDLE1BQU0sQ0FBQyxHQUFHLENBQUMsQ0FBQyxDQUFDO1FBQ3JDLE1BQU0sS0FBSyxHQUFHLE9BQU8sS0FBSyxLQUFLLFFBQVEsSUFBSSxNQUFNLENBQUMsS0FBSyxFQUFFLEtBQUssQ0FBQyxDQUFDLENBQUMsQ0FBQyxTQUFTLEtBQUssR0FBRyxDQUFDLEdBQUcsQ0FBQyxDQUFDLENBQUMsRUFBRSxDQUFDO1FBQzdGLE9BQU8sR0FBRyxNQUFNLENBQUMsR0FBRyxDQUFDLEtBQUssS0FBSyxHQUFHLEtBQUssQ0FBQyxPQUFPLEdBQUcsT0FBTyxDQUFDLEtBQUssQ0FBQyxFQUFFLENBQUM7SUFDckUsQ0FBQyxDQUFDLENBQUM7SUFDSCxPQUFPLENBQUMsR0FBRyxJQUFJLEdBQUcsQ0FBQyxLQUFLLENBQUMsQ0FBQyxDQUFDO0FBQzdCLENBQUM7QUFFRCxNQUFNLE9BQU8sR0FBRyxDQUFDLEtBQWEsRUFBRSxFQUFFLENBQUMsQ0FBQyxLQUFLLEVBQUUsSUFBSSxLQUFLLFNBQVMsQ0FBQyxDQUFDLENBQUMsRUFBRSxDQUFDLENBQUMsQ0FBQyxZQUFZLEtBQUssQ0FBQyxJQUFJLEdBQUcsQ0FBQyxDQUFDO0FBRWhHLE1BQU0sTUFBTSxHQUFHLENBQUMsS0FBYyxFQUFFLEVBQUUsQ0FBQyxDQUFDLE9BQU8sS0FBSyxLQUFLLFFBQVEsQ0FBQyxDQUFDLENBQUMsS0FBSyxDQUFDLFFBQVEsQ0FBQyxHQUFHLENBQUMsQ0FBQyxDQUFDLENBQUMsS0FBSyxDQUFDLE9BQU8sQ0FBQyxLQUFLLENBQUMsQ0FBQyxDQUFDO0FBRTVHLFNBQVMsVUFBVSxDQUFDLEdBQVc7SUFDN0IsTUFBTSxLQUFLLEdBQUcsT0FBTyxDQUFDLEdBQUcsRUFBRSxNQUFNLENBQUMsSUFBSSxDQUFDLE1BQU0sQ0FBQyxLQUFLLENBQUMsQ0FBQyxDQUFDO0lBQ3RELElBQUksS0FBSyxLQUFLLFNBQVMsSUFBSSxnQkFBZ0IsQ0FBQyxJQUFJLENBQUMsR0FBRyxDQUFDO1FBQ25ELE9BQU8sR0FBRyxHQUFHLG9DQUFvQyxLQUFLLEdBQUcsQ0FBQztJQUM1RCxJQUFJLGdCQUFnQixDQUFDLElBQUksQ0FBQyxHQUFHLENBQUM7UUFDNUIsT0FBTyxHQUFHLEdBQUcsaUVBQWlFLENBQUM7SUFDakYsaUhBQWlIO0lBQ2pILE1BQU0sSUFBSSxHQUFHLHFCQUFxQixDQUFDLElBQUksQ0FBQyxHQUFHLENBQUMsQ0FBQyxDQUFDLENBQUMsR0FBRyxDQUFDLENBQUMsQ0FBQyw4QkFBOEIsQ0FBQztJQUNwRixPQUFPLEdBQUcsSUFBSSwrREFBK0QsQ0FBQztBQUNoRixDQUFDIn0=
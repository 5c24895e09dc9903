const text = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*"/;
const scalar = new RegExp(`${text.source}|-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[Ee][+-]?\\d+)?|true|false|null`);
/**
 * Where `source` stops being JSON (RFC 8259), such as "line 3, column 5", counted from 1. JSON.parse gives a position
 * for some mistakes only, and its message quotes the source, which may be a secret.
 */
export function whereJsonBreaks(source) {
    let position = 0;
    const accept = (pattern) => {
        const here = new RegExp(`[ \\t\\r\\n]*(?:${pattern.source})`, "y");
        here.lastIndex = position;
        const found = here.test(source);
        if (found)
            position = here.lastIndex;
        return found;
    };
    const list = (item, end) => {
        if (accept(end))
            return true;
        do
            if (!item())
                return false;
        while (accept(/,/));
        return accept(end);
    };
    const member = () => accept(text) && accept(/:/) && value();
    const value = () => {
        if (accept(/\{/))
            return list(member, /\}/);
        if (accept(/\[/))
            return list(value, /\]/);
        return accept(scalar);
    };
    value();
    accept(/(?=[^ \t\r\n]|$)/);
    const lines = source.slice(0, position).split("\n");
    return `line ${lines.length}, column ${(lines.at(-1) ?? "").length + 1}`;
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoianNvbi5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbImpzb24udHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBQUEsTUFBTSxJQUFJLEdBQUcsMERBQTBELENBQUM7QUFDeEUsTUFBTSxNQUFNLEdBQUcsSUFBSSxNQUFNLENBQUMsR0FBRyxJQUFJLENBQUMsTUFBTSxrRUFBa0UsQ0FBQyxDQUFDO0FBRTVHOzs7R0FHRztBQUNILE1BQU0sVUFBVSxlQUFlLENBQUMsTUFBYztJQUM1QyxJQUFJLFFBQVEsR0FBRyxDQUFDLENBQUM7SUFFakIsTUFBTSxNQUFNLEdBQUcsQ0FBQyxPQUFlLEVBQVcsRUFBRTtRQUMxQyxNQUFNLElBQUksR0FBRyxJQUFJLE1BQU0sQ0FBQyxtQkFBbUIsT0FBTyxDQUFDLE1BQU0sR0FBRyxFQUFFLEdBQUcsQ0FBQyxDQUFDO1FBQ25FLElBQUksQ0FBQyxTQUFTLEdBQUcsUUFBUSxDQUFDO1FBQzFCLE1BQU0sS0FBSyxHQUFHLElBQUksQ0FBQyxJQUFJLENBQUMsTUFBTSxDQUFDLENBQUM7UUFDaEMsSUFBSSxLQUFLO1lBQUUsUUFBUSxHQUFHLElBQUksQ0FBQyxTQUFTLENBQUM7UUFDckMsT0FBTyxLQUFLLENBQUM7SUFDZixDQUFDLENBQUM7SUFDRixNQUFNLElBQUksR0FBRyxDQUFDLElBQW1CLEVBQUUsR0FBVyxFQUFXLEVBQUU7UUFDekQsSUFBSSxNQUFNLENBQUMsR0FBRyxDQUFDO1lBQUUsT0FBTyxJQUFJLENBQUM7UUFDN0I7WUFBRyxJQUFJLENBQUMsSUFBSSxFQUFFO2dCQUFFLE9BQU8sS0FBSyxDQUFDO2VBQ3RCLE1BQU0sQ0FBQyxHQUFHLENBQUMsRUFBRTtRQUNwQixPQUFPLE1BQU0sQ0FBQyxHQUFHLENBQUMsQ0FBQztJQUNyQixDQUFDLENBQUM7SUFDRixNQUFNLE1BQU0sR0FBRyxHQUFHLEVBQUUsQ0FBQyxNQUFNLENBQUMsSUFBSSxDQUFDLElBQUksTUFBTSxDQUFDLEdBQUcsQ0FBQyxJQUFJLEtBQUssRUFBRSxDQUFDO0lBQzVELE1BQU0sS0FBSyxHQUFHLEdBQVksRUFBRTtRQUMxQixJQUFJLE1BQU0sQ0FBQyxJQUFJLENBQUM7WUFBRSxPQUFPLElBQUksQ0FBQyxNQUFNLEVBQUUsSUFBSSxDQUFDLENBQUM7UUFDNUMsSUFBSSxNQUFNLENBQUMsSUFBSSxDQUFDO1lBQUUsT0FBTyxJQUFJLENBQUMsS0FBSyxFQUFFLElBQUksQ0FBQyxDQUFDO1FBQzNDLE9BQU8sTUFBTSxDQUFDLE1BQU0sQ0FBQyxDQUFDO0lBQ3hCLENBQUMsQ0FBQztJQUVGLEtBQUssRUFBRSxDQUFDO0lBQ1IsTUFBTSxDQUFDLGtCQUFrQixDQUFDLENBQUM7SUFDM0IsTUFBTSxLQUFLLEdBQUcsTUFBTSxDQUFDLEtBQUssQ0FBQyxDQUFDLEVBQUUsUUFBUSxDQUFDLENBQUMsS0FBSyxDQUFDLElBQUksQ0FBQyxDQUFDO0lBQ3BELE9BQU8sUUFBUSxLQUFLLENBQUMsTUFBTSxZQUFZLENBQUMsS0FBSyxDQUFDLEVBQUUsQ0FBQyxDQUFDLENBQUMsQ0FBQyxJQUFJLEVBQUUsQ0FBQyxDQUFDLE1BQU0sR0FBRyxDQUFDLEVBQUUsQ0FBQztBQUMzRSxDQUFDIn0=
import { readFileSync, statSync } from "node:fs";
import { parse as parseDotenv } from "dotenv";
import { whereJsonBreaks } from "./json.js";
/** Reads a JSON file that holds one object. */
export function readJsonFile(path, name) {
    const { text, problem } = readText(path, name);
    if (text === undefined)
        return { name, problem };
    try {
        const settings = JSON.parse(text);
        if (typeof settings === "object" && settings !== null && !Array.isArray(settings))
            return withPrivacy(path, { name, settings: { ...settings } });
        return { name, problem: `${name}: must hold one JSON object. Begin it with { and end it with }.` };
    }
    catch {
        const place = whereJsonBreaks(text);
        return { name, problem: `${name}: is not valid JSON (${place}). Check the quotes and commas there.` };
    }
}
/** Reads a file of KEY=value lines the way dotenv does, but leaves `process.env` as it is. */
export function readDotenvFile(path, name) {
    const { text, problem } = readText(path, name);
    return text === undefined ? { name, problem } : withPrivacy(path, { name, settings: parseDotenv(text) });
}
function readText(path, name) {
    try {
        return { text: readFileSync(path, "utf8").replace(/^\uFEFF/, "") };
    }
    catch (error) {
        const { code } = error;
        if (code === "ENOENT")
            return {};
        return { problem: `${name}: cannot be read (${code}). Let the server's user read it, or remove it.` };
    }
}
const secretKeys = ["SESSION_SECRET", "ENCRYPTION_KEY", "CLIENT_SECRET", "REDIS_URL"];
/** Adds a problem when a file with secrets is not its owner's alone (CF-6). Windows keeps no such mode. */
function withPrivacy(path, source) {
    const isPrivate = process.platform === "win32" || (statSync(path).mode & 0o077) === 0;
    if (isPrivate || !secretKeys.some((key) => source.settings?.[key]))
        return source;
    const { name } = source;
    return {
        ...source,
        problem: `${name}: holds secrets, but other users may open it. Run: chmod 600 ${name}`,
    };
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoiZmlsZXMuanMiLCJzb3VyY2VSb290IjoiIiwic291cmNlcyI6WyJmaWxlcy50cyJdLCJuYW1lcyI6W10sIm1hcHBpbmdzIjoiQUFBQSxPQUFPLEVBQUUsWUFBWSxFQUFFLFFBQVEsRUFBRSxNQUFNLFNBQVMsQ0FBQztBQUNqRCxPQUFPLEVBQUUsS0FBSyxJQUFJLFdBQVcsRUFBRSxNQUFNLFFBQVEsQ0FBQztBQUM5QyxPQUFPLEVBQUUsZUFBZSxFQUFFLE1BQU0sV0FBVyxDQUFDO0FBVTVDLCtDQUErQztBQUMvQyxNQUFNLFVBQVUsWUFBWSxDQUFDLElBQVksRUFBRSxJQUFZO0lBQ3JELE1BQU0sRUFBRSxJQUFJLEVBQUUsT0FBTyxFQUFFLEdBQUcsUUFBUSxDQUFDLElBQUksRUFBRSxJQUFJLENBQUMsQ0FBQztJQUMvQyxJQUFJLElBQUksS0FBSyxTQUFTO1FBQUUsT0FBTyxFQUFFLElBQUksRUFBRSxPQUFPLEVBQUUsQ0FBQztJQUNqRCxJQUFJLENBQUM7UUFDSCxNQUFNLFFBQVEsR0FBWSxJQUFJLENBQUMsS0FBSyxDQUFDLElBQUksQ0FBQyxDQUFDO1FBQzNDLElBQUksT0FBTyxRQUFRLEtBQUssUUFBUSxJQUFJLFFBQVEsS0FBSyxJQUFJLElBQUksQ0FBQyxLQUFLLENBQUMsT0FBTyxDQUFDLFFBQVEsQ0FBQztZQUMvRSxPQUFPLFdBQVcsQ0FBQyxJQUFJLEVBQUUsRUFBRSxJQUFJLEVBQUUsUUFBUSxFQUFFLEVBQUUsR0FBRyxRQUFRLEVBQUUsRUFBRSxDQUFDLENBQUM7UUFDaEUsT0FBTyxFQUFFLElBQUksRUFBRSxPQUFPLEVBQUUsR0FBRyxJQUFJLGlFQUFpRSxFQUFFLENBQUM7SUFDckcsQ0FBQztJQUFDLE1BQU0sQ0FBQztRQUNQLE1BQU0sS0FBSyxHQUFHLGVBQWUsQ0FBQyxJQUFJLENBQUMsQ0FBQztRQUNwQyxPQUFPLEVBQUUsSUFBSSxFQUFFLE9BQU8sRUFBRSxHQUFHLElBQUksd0JBQXdCLEtBQUssdUNBQXVDLEVBQUUsQ0FBQztJQUN4RyxDQUFDO0FBQ0gsQ0FBQztBQUVELDhGQUE4RjtBQUM5RixNQUFNLFVBQVUsY0FBYyxDQUFDLElBQVksRUFBRSxJQUFZO0lBQ3ZELE1BQU0sRUFBRSxJQUFJLEVBQUUsT0FBTyxFQUFFLEdBQUcsUUFBUSxDQUFDLElBQUksRUFBRSxJQUFJLENBQUMsQ0FBQztJQUMvQyxPQUFPLElBQUksS0FBSyxTQUFTLENBQUMsQ0FBQyxDQUFDLEVBQUUsSUFBSSxFQUFFLE9BQU8sRUFBRSxDQUFDLENBQUMsQ0FBQyxXQUFXLENBQUMsSUFBSSxFQUFFLEVBQUUsSUFBSSxFQUFFLFFBQVEsRUFBRSxXQUFXLENBQUMsSUFBSSxDQUFDLEVBQUUsQ0FBQyxDQUFDO0FBQzNHLENBQUM7QUFFRCxTQUFTLFFBQVEsQ0FBQyxJQUFZLEVBQUUsSUFBWTtJQUMxQyxJQUFJLENBQUM7UUFDSCxPQUFPLEVBQUUsSUFBSSxFQUFFLFlBQVksQ0FBQyxJQUFJLEVBQUUsTUFBTSxDQUFDLENBQUMsT0FBTyxDQUFDLFNBQVMsRUFBRSxFQUFFLENBQUMsRUFBRSxDQUFDO0lBQ3JFLENBQUM7SUFBQyxPQUFPLEtBQUssRUFBRSxDQUFDO1FBQ2YsTUFBTSxFQUFFLElBQUksRUFBRSxHQUFHLEtBQThCLENBQUM7UUFDaEQsSUFBSSxJQUFJLEtBQUssUUFBUTtZQUFFLE9BQU8sRUFBRSxDQUFDO1FBQ2pDLE9BQU8sRUFBRSxPQUFPLEVBQUUsR0FBRyxJQUFJLHFCQUFxQixJQUFJLGlEQUFpRCxFQUFFLENBQUM7SUFDeEcsQ0FBQztBQUNILENBQUM7QUFFRCxNQUFNLFVBQVUsR0FBRyxDQUFDLGdCQUFnQixFQUFFLGdCQUFnQixFQUFFLGVBQWUsRUFBRSxXQUFXLENBQUMsQ0FBQztBQUV0RiwyR0FBMkc7QUFDM0csU0FBUyxXQUFXLENBQUMsSUFBWSxFQUFFLE1BQWM7SUFDL0MsTUFBTSxTQUFTLEdBQUcsT0FBTyxDQUFDLFFBQVEsS0FBSyxPQUFPLElBQUksQ0FBQyxRQUFRLENBQUMsSUFBSSxDQUFDLENBQUMsSUFBSSxHQUFHLEtBQUssQ0FBQyxLQUFLLENBQUMsQ0FBQztJQUN0RixJQUFJLFNBQVMsSUFBSSxDQUFDLFVBQVUsQ0FBQyxJQUFJLENBQUMsQ0FBQyxHQUFHLEVBQUUsRUFBRSxDQUFDLE1BQU0sQ0FBQyxRQUFRLEVBQUUsQ0FBQyxHQUFHLENBQUMsQ0FBQztRQUFFLE9BQU8sTUFBTSxDQUFDO0lBQ2xGLE1BQU0sRUFBRSxJQUFJLEVBQUUsR0FBRyxNQUFNLENBQUM7SUFDeEIsT0FBTztRQUNMLEdBQUcsTUFBTTtRQUNULE9BQU8sRUFBRSxHQUFHLElBQUksZ0VBQWdFLElBQUksRUFBRTtLQUN2RixDQUFDO0FBQ0osQ0FBQyJ9
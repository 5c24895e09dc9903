import { ArcGISRequestError } from "@esri/arcgis-rest-request";
import { AppError } from "./errors.js";
/**
 * What the log says about an error: in one line, 300 characters at most, without anything that looks like a code
 * or a token. Errors are never written as they are: what a portal sent is in them.
 */
export function reasonOf(error) {
    return inWords(error)
        .replace(/[\w~%+/=-]{24,}/g, "[...]")
        .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ")
        .slice(0, 300);
}
function inWords(error) {
    if (typeof error === "string")
        return error;
    if (!(error instanceof Error))
        return "unknown";
    const text = error instanceof AppError
        ? error.code
        : error instanceof ArcGISRequestError
            ? `${error.code}: ${error.originalMessage}`
            : `${error.name}: ${error.message}`;
    return error.cause === undefined ? text : `${text} (${inWords(error.cause)})`;
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicmVhc29uLmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsicmVhc29uLnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiJBQUFBLE9BQU8sRUFBRSxrQkFBa0IsRUFBRSxNQUFNLDJCQUEyQixDQUFDO0FBQy9ELE9BQU8sRUFBRSxRQUFRLEVBQUUsTUFBTSxhQUFhLENBQUM7QUFFdkM7OztHQUdHO0FBQ0gsTUFBTSxVQUFVLFFBQVEsQ0FBQyxLQUFjO0lBQ3JDLE9BQU8sT0FBTyxDQUFDLEtBQUssQ0FBQztTQUNsQixPQUFPLENBQUMsa0JBQWtCLEVBQUUsT0FBTyxDQUFDO1NBQ3BDLE9BQU8sQ0FBQyw4QkFBOEIsRUFBRSxHQUFHLENBQUM7U0FDNUMsS0FBSyxDQUFDLENBQUMsRUFBRSxHQUFHLENBQUMsQ0FBQztBQUNuQixDQUFDO0FBRUQsU0FBUyxPQUFPLENBQUMsS0FBYztJQUM3QixJQUFJLE9BQU8sS0FBSyxLQUFLLFFBQVE7UUFBRSxPQUFPLEtBQUssQ0FBQztJQUM1QyxJQUFJLENBQUMsQ0FBQyxLQUFLLFlBQVksS0FBSyxDQUFDO1FBQUUsT0FBTyxTQUFTLENBQUM7SUFDaEQsTUFBTSxJQUFJLEdBQ1IsS0FBSyxZQUFZLFFBQVE7UUFDdkIsQ0FBQyxDQUFDLEtBQUssQ0FBQyxJQUFJO1FBQ1osQ0FBQyxDQUFDLEtBQUssWUFBWSxrQkFBa0I7WUFDbkMsQ0FBQyxDQUFDLEdBQUcsS0FBSyxDQUFDLElBQUksS0FBSyxLQUFLLENBQUMsZUFBZSxFQUFFO1lBQzNDLENBQUMsQ0FBQyxHQUFHLEtBQUssQ0FBQyxJQUFJLEtBQUssS0FBSyxDQUFDLE9BQU8sRUFBRSxDQUFDO0lBQzFDLE9BQU8sS0FBSyxDQUFDLEtBQUssS0FBSyxTQUFTLENBQUMsQ0FBQyxDQUFDLElBQUksQ0FBQyxDQUFDLENBQUMsR0FBRyxJQUFJLEtBQUssT0FBTyxDQUFDLEtBQUssQ0FBQyxLQUFLLENBQUMsR0FBRyxDQUFDO0FBQ2hGLENBQUMifQ==
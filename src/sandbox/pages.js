import { join } from "node:path";
import { organisations } from "./people.js";
/** Where the pages are; the same from `src` and from `dist`. */
export const viewsFolder = join(import.meta.dirname, "../../views/sandbox");
/** No script at all; a form goes to the portal and, by the redirect that answers it, to `formTarget`. */
export function contentSecurityPolicy(formTarget = "") {
    return [
        "default-src 'none'",
        "style-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        `form-action 'self' ${formTarget}`.trim(),
        "frame-ancestors 'none'",
    ].join("; ");
}
/** What the sign-in page shows of a person. */
export function choiceOf({ username, fullName, roleName, orgId }) {
    return {
        username,
        fullName,
        roleName,
        organisation: organisations.find(({ id }) => id === orgId)?.name ?? orgId,
        initials: initialsOf(fullName),
    };
}
function initialsOf(fullName) {
    const words = fullName.split(/\s+/).filter(Boolean);
    return words
        .slice(0, 2)
        .map((word) => [...word][0]?.toUpperCase())
        .join("");
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicGFnZXMuanMiLCJzb3VyY2VSb290IjoiIiwic291cmNlcyI6WyJwYWdlcy50cyJdLCJuYW1lcyI6W10sIm1hcHBpbmdzIjoiQUFBQSxPQUFPLEVBQUUsSUFBSSxFQUFFLE1BQU0sV0FBVyxDQUFDO0FBQ2pDLE9BQU8sRUFBRSxhQUFhLEVBQWUsTUFBTSxhQUFhLENBQUM7QUFFekQsZ0VBQWdFO0FBQ2hFLE1BQU0sQ0FBQyxNQUFNLFdBQVcsR0FBRyxJQUFJLENBQUMsT0FBTyxJQUFJLENBQUMsT0FBTyxFQUFFLHFCQUFxQixDQUFDLENBQUM7QUFFNUUseUdBQXlHO0FBQ3pHLE1BQU0sVUFBVSxxQkFBcUIsQ0FBQyxVQUFVLEdBQUcsRUFBRTtJQUNuRCxPQUFPO1FBQ0wsb0JBQW9CO1FBQ3BCLGtCQUFrQjtRQUNsQixlQUFlO1FBQ2YsaUJBQWlCO1FBQ2pCLHNCQUFzQixVQUFVLEVBQUUsQ0FBQyxJQUFJLEVBQUU7UUFDekMsd0JBQXdCO0tBQ3pCLENBQUMsSUFBSSxDQUFDLElBQUksQ0FBQyxDQUFDO0FBQ2YsQ0FBQztBQUVELCtDQUErQztBQUMvQyxNQUFNLFVBQVUsUUFBUSxDQUFDLEVBQUUsUUFBUSxFQUFFLFFBQVEsRUFBRSxRQUFRLEVBQUUsS0FBSyxFQUFVO0lBQ3RFLE9BQU87UUFDTCxRQUFRO1FBQ1IsUUFBUTtRQUNSLFFBQVE7UUFDUixZQUFZLEVBQUUsYUFBYSxDQUFDLElBQUksQ0FBQyxDQUFDLEVBQUUsRUFBRSxFQUFFLEVBQUUsRUFBRSxDQUFDLEVBQUUsS0FBSyxLQUFLLENBQUMsRUFBRSxJQUFJLElBQUksS0FBSztRQUN6RSxRQUFRLEVBQUUsVUFBVSxDQUFDLFFBQVEsQ0FBQztLQUMvQixDQUFDO0FBQ0osQ0FBQztBQUVELFNBQVMsVUFBVSxDQUFDLFFBQWdCO0lBQ2xDLE1BQU0sS0FBSyxHQUFHLFFBQVEsQ0FBQyxLQUFLLENBQUMsS0FBSyxDQUFDLENBQUMsTUFBTSxDQUFDLE9BQU8sQ0FBQyxDQUFDO0lBQ3BELE9BQU8sS0FBSztTQUNULEtBQUssQ0FBQyxDQUFDLEVBQUUsQ0FBQyxDQUFDO1NBQ1gsR0FBRyxDQUFDLENBQUMsSUFBSSxFQUFFLEVBQUUsQ0FBQyxDQUFDLEdBQUcsSUFBSSxDQUFDLENBQUMsQ0FBQyxDQUFDLEVBQUUsV0FBVyxFQUFFLENBQUM7U0FDMUMsSUFBSSxDQUFDLEVBQUUsQ0FBQyxDQUFDO0FBQ2QsQ0FBQyJ9
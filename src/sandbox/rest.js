import { Router } from "express";
import { answer, invalidToken, paramsOf, text, tokenRequired } from "./answers.js";
import { home, organisations } from "./people.js";
/** An Enterprise of 2024; the Maps SDK uses PKCE from 8.4 on. */
const currentVersion = "2024.2";
/** When everything in the sandbox was made: 1 June 2024. */
const created = Date.UTC(2024, 5, 1);
/**
 * The three that tell who is signed in and where: `community/self`, `portals/self`, `info`.
 *
 * Field names as in IUser and IPortal of @esri/arcgis-rest-js, their values as in its mocks
 * (packages/arcgis-rest-portal/test/mocks/users/user.ts and portal/response.ts).
 */
export function restRoutes(portal) {
    const router = Router();
    router.all("/community/self", portal.at("self"), (req, res) => {
        if (!tokenOf(req))
            return answer(req, res, tokenRequired);
        const found = signedInBy(req);
        answer(req, res, found ? userOf(found.person, portal.now()) : invalidToken);
    });
    // Anybody may ask; a token adds who asks and by which app, and a bad one is still an error.
    router.all("/portals/self", portal.at("portalSelf"), (req, res) => {
        const found = signedInBy(req);
        if (tokenOf(req) && !found)
            return answer(req, res, invalidToken);
        const { host } = new URL(portal.origin);
        const organisation = organisations.find(({ id }) => id === found?.person.orgId) ?? home;
        answer(req, res, {
            ...organisation,
            access: "public",
            allSSL: false,
            allowedOrigins: [],
            authorizedCrossOriginDomains: [],
            created,
            culture: "en",
            currentVersion,
            customBaseUrl: "",
            helperServices: {},
            isPortal: true,
            maxTokenExpirationMinutes: -1,
            modified: created,
            portalHostname: `${host}/portal`,
            portalMode: "singletenant",
            portalName: "Sandbox portal",
            region: "WO",
            supportsOAuth: true,
            thumbnail: null,
            units: "metric",
            ...(found && { user: memberOf(found.person, portal.now()), appInfo: appOf(found.token) }),
        });
    });
    router.all("/info", portal.at("info"), (req, res) => {
        answer(req, res, {
            owningSystemUrl: `${portal.origin}/portal`,
            authInfo: { tokenServicesUrl: `${portal.url}/generateToken`, isTokenBasedSecurity: true },
        });
    });
    router.all("/", (req, res) => answer(req, res, { currentVersion }));
    function signedInBy(req) {
        const token = portal.grants.findAccessToken(tokenOf(req) ?? "");
        const person = portal.people.find(({ username }) => username === token?.username);
        return token && person && { token, person };
    }
    function appOf({ clientId }) {
        const client = portal.clients.find((each) => each.clientId === clientId);
        return {
            appId: clientId,
            itemId: clientId,
            appOwner: "sandy_admin",
            orgId: home.id,
            appTitle: client?.title ?? clientId,
            privileges: [],
        };
    }
    return router;
}
/** The token, from where ArcGIS takes it: one of two headers, the query or the form. */
export function tokenOf(req) {
    for (const name of ["X-Esri-Authorization", "Authorization"]) {
        const [, token] = /^Bearer +(\S+)$/i.exec(req.get(name) ?? "") ?? [];
        if (token)
            return token;
    }
    return text(paramsOf(req), "token");
}
function userOf(person, now) {
    return { ...memberOf(person, now), groups: person.groups.map((group) => groupOf(group, person)) };
}
/** `portals/self` leaves the groups out. */
function memberOf({ groups: _, roleName: __, ...person }, now) {
    return {
        ...person,
        access: "org",
        created,
        description: null,
        disabled: false,
        lastLogin: now,
        mfaEnabled: false,
        modified: created,
        region: "WO",
        tags: [],
        thumbnail: null,
        units: "metric",
    };
}
function groupOf(group, { username }) {
    const memberType = group.owner === username ? "owner" : "member";
    return {
        ...group,
        access: "org",
        created,
        isInvitationOnly: true,
        isViewOnly: false,
        modified: created,
        protected: false,
        tags: [],
        userMembership: { username, memberType, applications: 0 },
    };
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicmVzdC5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbInJlc3QudHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBQUEsT0FBTyxFQUFnQixNQUFNLEVBQUUsTUFBTSxTQUFTLENBQUM7QUFDL0MsT0FBTyxFQUFFLE1BQU0sRUFBRSxZQUFZLEVBQUUsUUFBUSxFQUFFLElBQUksRUFBRSxhQUFhLEVBQUUsTUFBTSxjQUFjLENBQUM7QUFHbkYsT0FBTyxFQUFjLElBQUksRUFBRSxhQUFhLEVBQWUsTUFBTSxhQUFhLENBQUM7QUFFM0UsaUVBQWlFO0FBQ2pFLE1BQU0sY0FBYyxHQUFHLFFBQVEsQ0FBQztBQUVoQyw0REFBNEQ7QUFDNUQsTUFBTSxPQUFPLEdBQUcsSUFBSSxDQUFDLEdBQUcsQ0FBQyxJQUFJLEVBQUUsQ0FBQyxFQUFFLENBQUMsQ0FBQyxDQUFDO0FBRXJDOzs7OztHQUtHO0FBQ0gsTUFBTSxVQUFVLFVBQVUsQ0FBQyxNQUFlO0lBQ3hDLE1BQU0sTUFBTSxHQUFHLE1BQU0sRUFBRSxDQUFDO0lBRXhCLE1BQU0sQ0FBQyxHQUFHLENBQUMsaUJBQWlCLEVBQUUsTUFBTSxDQUFDLEVBQUUsQ0FBQyxNQUFNLENBQUMsRUFBRSxDQUFDLEdBQUcsRUFBRSxHQUFHLEVBQUUsRUFBRTtRQUM1RCxJQUFJLENBQUMsT0FBTyxDQUFDLEdBQUcsQ0FBQztZQUFFLE9BQU8sTUFBTSxDQUFDLEdBQUcsRUFBRSxHQUFHLEVBQUUsYUFBYSxDQUFDLENBQUM7UUFDMUQsTUFBTSxLQUFLLEdBQUcsVUFBVSxDQUFDLEdBQUcsQ0FBQyxDQUFDO1FBQzlCLE1BQU0sQ0FBQyxHQUFHLEVBQUUsR0FBRyxFQUFFLEtBQUssQ0FBQyxDQUFDLENBQUMsTUFBTSxDQUFDLEtBQUssQ0FBQyxNQUFNLEVBQUUsTUFBTSxDQUFDLEdBQUcsRUFBRSxDQUFDLENBQUMsQ0FBQyxDQUFDLFlBQVksQ0FBQyxDQUFDO0lBQzlFLENBQUMsQ0FBQyxDQUFDO0lBRUgsNEZBQTRGO0lBQzVGLE1BQU0sQ0FBQyxHQUFHLENBQUMsZUFBZSxFQUFFLE1BQU0sQ0FBQyxFQUFFLENBQUMsWUFBWSxDQUFDLEVBQUUsQ0FBQyxHQUFHLEVBQUUsR0FBRyxFQUFFLEVBQUU7UUFDaEUsTUFBTSxLQUFLLEdBQUcsVUFBVSxDQUFDLEdBQUcsQ0FBQyxDQUFDO1FBQzlCLElBQUksT0FBTyxDQUFDLEdBQUcsQ0FBQyxJQUFJLENBQUMsS0FBSztZQUFFLE9BQU8sTUFBTSxDQUFDLEdBQUcsRUFBRSxHQUFHLEVBQUUsWUFBWSxDQUFDLENBQUM7UUFFbEUsTUFBTSxFQUFFLElBQUksRUFBRSxHQUFHLElBQUksR0FBRyxDQUFDLE1BQU0sQ0FBQyxNQUFNLENBQUMsQ0FBQztRQUN4QyxNQUFNLFlBQVksR0FBRyxhQUFhLENBQUMsSUFBSSxDQUFDLENBQUMsRUFBRSxFQUFFLEVBQUUsRUFBRSxFQUFFLENBQUMsRUFBRSxLQUFLLEtBQUssRUFBRSxNQUFNLENBQUMsS0FBSyxDQUFDLElBQUksSUFBSSxDQUFDO1FBQ3hGLE1BQU0sQ0FBQyxHQUFHLEVBQUUsR0FBRyxFQUFFO1lBQ2YsR0FBRyxZQUFZO1lBQ2YsTUFBTSxFQUFFLFFBQVE7WUFDaEIsTUFBTSxFQUFFLEtBQUs7WUFDYixjQUFjLEVBQUUsRUFBRTtZQUNsQiw0QkFBNEIsRUFBRSxFQUFFO1lBQ2hDLE9BQU87WUFDUCxPQUFPLEVBQUUsSUFBSTtZQUNiLGNBQWM7WUFDZCxhQUFhLEVBQUUsRUFBRTtZQUNqQixjQUFjLEVBQUUsRUFBRTtZQUNsQixRQUFRLEVBQUUsSUFBSTtZQUNkLHlCQUF5QixFQUFFLENBQUMsQ0FBQztZQUM3QixRQUFRLEVBQUUsT0FBTztZQUNqQixjQUFjLEVBQUUsR0FBRyxJQUFJLFNBQVM7WUFDaEMsVUFBVSxFQUFFLGNBQWM7WUFDMUIsVUFBVSxFQUFFLGdCQUFnQjtZQUM1QixNQUFNLEVBQUUsSUFBSTtZQUNaLGFBQWEsRUFBRSxJQUFJO1lBQ25CLFNBQVMsRUFBRSxJQUFJO1lBQ2YsS0FBSyxFQUFFLFFBQVE7WUFDZixHQUFHLENBQUMsS0FBSyxJQUFJLEVBQUUsSUFBSSxFQUFFLFFBQVEsQ0FBQyxLQUFLLENBQUMsTUFBTSxFQUFFLE1BQU0sQ0FBQyxHQUFHLEVBQUUsQ0FBQyxFQUFFLE9BQU8sRUFBRSxLQUFLLENBQUMsS0FBSyxDQUFDLEtBQUssQ0FBQyxFQUFFLENBQUM7U0FDMUYsQ0FBQyxDQUFDO0lBQ0wsQ0FBQyxDQUFDLENBQUM7SUFFSCxNQUFNLENBQUMsR0FBRyxDQUFDLE9BQU8sRUFBRSxNQUFNLENBQUMsRUFBRSxDQUFDLE1BQU0sQ0FBQyxFQUFFLENBQUMsR0FBRyxFQUFFLEdBQUcsRUFBRSxFQUFFO1FBQ2xELE1BQU0sQ0FBQyxHQUFHLEVBQUUsR0FBRyxFQUFFO1lBQ2YsZUFBZSxFQUFFLEdBQUcsTUFBTSxDQUFDLE1BQU0sU0FBUztZQUMxQyxRQUFRLEVBQUUsRUFBRSxnQkFBZ0IsRUFBRSxHQUFHLE1BQU0sQ0FBQyxHQUFHLGdCQUFnQixFQUFFLG9CQUFvQixFQUFFLElBQUksRUFBRTtTQUMxRixDQUFDLENBQUM7SUFDTCxDQUFDLENBQUMsQ0FBQztJQUVILE1BQU0sQ0FBQyxHQUFHLENBQUMsR0FBRyxFQUFFLENBQUMsR0FBRyxFQUFFLEdBQUcsRUFBRSxFQUFFLENBQUMsTUFBTSxDQUFDLEdBQUcsRUFBRSxHQUFHLEVBQUUsRUFBRSxjQUFjLEVBQUUsQ0FBQyxDQUFDLENBQUM7SUFFcEUsU0FBUyxVQUFVLENBQUMsR0FBWTtRQUM5QixNQUFNLEtBQUssR0FBRyxNQUFNLENBQUMsTUFBTSxDQUFDLGVBQWUsQ0FBQyxPQUFPLENBQUMsR0FBRyxDQUFDLElBQUksRUFBRSxDQUFDLENBQUM7UUFDaEUsTUFBTSxNQUFNLEdBQUcsTUFBTSxDQUFDLE1BQU0sQ0FBQyxJQUFJLENBQUMsQ0FBQyxFQUFFLFFBQVEsRUFBRSxFQUFFLEVBQUUsQ0FBQyxRQUFRLEtBQUssS0FBSyxFQUFFLFFBQVEsQ0FBQyxDQUFDO1FBQ2xGLE9BQU8sS0FBSyxJQUFJLE1BQU0sSUFBSSxFQUFFLEtBQUssRUFBRSxNQUFNLEVBQUUsQ0FBQztJQUM5QyxDQUFDO0lBRUQsU0FBUyxLQUFLLENBQUMsRUFBRSxRQUFRLEVBQWU7UUFDdEMsTUFBTSxNQUFNLEdBQUcsTUFBTSxDQUFDLE9BQU8sQ0FBQyxJQUFJLENBQUMsQ0FBQyxJQUFJLEVBQUUsRUFBRSxDQUFDLElBQUksQ0FBQyxRQUFRLEtBQUssUUFBUSxDQUFDLENBQUM7UUFDekUsT0FBTztZQUNMLEtBQUssRUFBRSxRQUFRO1lBQ2YsTUFBTSxFQUFFLFFBQVE7WUFDaEIsUUFBUSxFQUFFLGFBQWE7WUFDdkIsS0FBSyxFQUFFLElBQUksQ0FBQyxFQUFFO1lBQ2QsUUFBUSxFQUFFLE1BQU0sRUFBRSxLQUFLLElBQUksUUFBUTtZQUNuQyxVQUFVLEVBQUUsRUFBRTtTQUNmLENBQUM7SUFDSixDQUFDO0lBRUQsT0FBTyxNQUFNLENBQUM7QUFDaEIsQ0FBQztBQUVELHdGQUF3RjtBQUN4RixNQUFNLFVBQVUsT0FBTyxDQUFDLEdBQVk7SUFDbEMsS0FBSyxNQUFNLElBQUksSUFBSSxDQUFDLHNCQUFzQixFQUFFLGVBQWUsQ0FBQyxFQUFFLENBQUM7UUFDN0QsTUFBTSxDQUFDLEVBQUUsS0FBSyxDQUFDLEdBQUcsa0JBQWtCLENBQUMsSUFBSSxDQUFDLEdBQUcsQ0FBQyxHQUFHLENBQUMsSUFBSSxDQUFDLElBQUksRUFBRSxDQUFDLElBQUksRUFBRSxDQUFDO1FBQ3JFLElBQUksS0FBSztZQUFFLE9BQU8sS0FBSyxDQUFDO0lBQzFCLENBQUM7SUFDRCxPQUFPLElBQUksQ0FBQyxRQUFRLENBQUMsR0FBRyxDQUFDLEVBQUUsT0FBTyxDQUFDLENBQUM7QUFDdEMsQ0FBQztBQUVELFNBQVMsTUFBTSxDQUFDLE1BQWMsRUFBRSxHQUFXO0lBQ3pDLE9BQU8sRUFBRSxHQUFHLFFBQVEsQ0FBQyxNQUFNLEVBQUUsR0FBRyxDQUFDLEVBQUUsTUFBTSxFQUFFLE1BQU0sQ0FBQyxNQUFNLENBQUMsR0FBRyxDQUFDLENBQUMsS0FBSyxFQUFFLEVBQUUsQ0FBQyxPQUFPLENBQUMsS0FBSyxFQUFFLE1BQU0sQ0FBQyxDQUFDLEVBQUUsQ0FBQztBQUNwRyxDQUFDO0FBRUQsNENBQTRDO0FBQzVDLFNBQVMsUUFBUSxDQUFDLEVBQUUsTUFBTSxFQUFFLENBQUMsRUFBRSxRQUFRLEVBQUUsRUFBRSxFQUFFLEdBQUcsTUFBTSxFQUFVLEVBQUUsR0FBVztJQUMzRSxPQUFPO1FBQ0wsR0FBRyxNQUFNO1FBQ1QsTUFBTSxFQUFFLEtBQUs7UUFDYixPQUFPO1FBQ1AsV0FBVyxFQUFFLElBQUk7UUFDakIsUUFBUSxFQUFFLEtBQUs7UUFDZixTQUFTLEVBQUUsR0FBRztRQUNkLFVBQVUsRUFBRSxLQUFLO1FBQ2pCLFFBQVEsRUFBRSxPQUFPO1FBQ2pCLE1BQU0sRUFBRSxJQUFJO1FBQ1osSUFBSSxFQUFFLEVBQUU7UUFDUixTQUFTLEVBQUUsSUFBSTtRQUNmLEtBQUssRUFBRSxRQUFRO0tBQ2hCLENBQUM7QUFDSixDQUFDO0FBRUQsU0FBUyxPQUFPLENBQUMsS0FBWSxFQUFFLEVBQUUsUUFBUSxFQUFVO0lBQ2pELE1BQU0sVUFBVSxHQUFHLEtBQUssQ0FBQyxLQUFLLEtBQUssUUFBUSxDQUFDLENBQUMsQ0FBQyxPQUFPLENBQUMsQ0FBQyxDQUFDLFFBQVEsQ0FBQztJQUNqRSxPQUFPO1FBQ0wsR0FBRyxLQUFLO1FBQ1IsTUFBTSxFQUFFLEtBQUs7UUFDYixPQUFPO1FBQ1AsZ0JBQWdCLEVBQUUsSUFBSTtRQUN0QixVQUFVLEVBQUUsS0FBSztRQUNqQixRQUFRLEVBQUUsT0FBTztRQUNqQixTQUFTLEVBQUUsS0FBSztRQUNoQixJQUFJLEVBQUUsRUFBRTtRQUNSLGNBQWMsRUFBRSxFQUFFLFFBQVEsRUFBRSxVQUFVLEVBQUUsWUFBWSxFQUFFLENBQUMsRUFBRTtLQUMxRCxDQUFDO0FBQ0osQ0FBQyJ9
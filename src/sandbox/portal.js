import { createServer } from "node:http";
import express, {} from "express";
import { answer, arcgisError } from "./answers.js";
import { authorizeRoutes } from "./authorize.js";
import { contentRoutes } from "./content.js";
import { allowApps } from "./cors.js";
import { faultSwitches, strike } from "./faults.js";
import { featureServerRoutes, serverPath } from "./feature-server.js";
import { openGrants } from "./grants.js";
import { services } from "./layers.js";
import { contentSecurityPolicy, viewsFolder } from "./pages.js";
import { samplePeople } from "./people.js";
import { restRoutes } from "./rest.js";
import { serverTokenRoutes } from "./server-token.js";
import { tokenRoutes } from "./token.js";
const loopback = ["127.0.0.1", "::1", "localhost"];
const logLength = 10_000;
/**
 * Starts a pretend ArcGIS Enterprise portal for the demo and the tests: ArcGIS's paths, answers and error
 * shapes, invented people, no passwords.
 *
 * @throws under `NODE_ENV=production`, for an address that is not loopback, and when the port is taken.
 */
export async function startSandbox(options) {
    const { host = "127.0.0.1", port = 0, stateFile, now = Date.now } = options;
    if (process.env.NODE_ENV === "production") {
        throw new Error("The sandbox portal signs anybody in: it does not start with NODE_ENV=production.");
    }
    if (!loopback.includes(host)) {
        throw new Error(`The sandbox portal listens on loopback only (${loopback.join(", ")}), not on "${host}".`);
    }
    const settings = {
        codeSeconds: 10 * 60,
        accessTokenSeconds: 30 * 60,
        refreshTokenSeconds: undefined,
        requirePkce: false,
        omitRefreshTokenExpiry: false,
        rememberPerson: false,
    };
    const clients = [...options.clients];
    const people = samplePeople();
    const servers = [];
    const serverTokens = new Map();
    const grants = openGrants(settings, now, stateFile);
    const faults = faultSwitches();
    const log = [];
    const server = createServer();
    await new Promise((resolve, reject) => {
        server.once("error", reject).listen(port, host, resolve);
    });
    const origin = `http://${host.includes(":") ? `[${host}]` : host}:${server.address().port}`;
    const url = `${origin}/portal/sharing/rest`;
    servers.push(`${origin}${serverPath}`);
    const context = {
        origin,
        url,
        clients,
        people,
        servers,
        serverTokens,
        settings,
        grants,
        now,
        at: (endpoint) => (_req, res, next) => {
            res.locals.request.endpoint = endpoint;
            const fault = faults.take(endpoint);
            if (!fault)
                return next();
            res.locals.deny = endpoint === "authorize" && fault.kind === "deny";
            if (res.locals.deny)
                next();
            else
                strike(fault, res, next);
        },
    };
    const app = express()
        .disable("x-powered-by")
        .disable("etag")
        .set("view engine", "ejs")
        .set("views", viewsFolder)
        .use(express.urlencoded({ extended: false }))
        .use((req, res, next) => {
        res.locals.request = requestOf(req, now());
        if (log.push(res.locals.request) > logLength)
            log.shift();
        res.set(pageHeaders);
        next();
    })
        .get("/portal/sandbox.css", (_req, res) => res.sendFile("sandbox.css", { root: viewsFolder }))
        .get(["/", "/portal", "/portal/home"], (_req, res) => res.render("message", welcome))
        // The Maps SDK signs in at /sharing/oauth2/authorize, everybody else below /sharing/rest.
        .use(["/portal/sharing/rest", "/portal/sharing"], authorizeRoutes(context), tokenRoutes(context))
        .use(["/portal/sharing/rest", "/portal/sharing", serverPath], allowApps(context))
        .use(["/portal/sharing/rest", "/portal/sharing"], serverTokenRoutes(context))
        .use("/portal/sharing/rest", restRoutes(context), contentRoutes(context))
        .use(serverPath, featureServerRoutes(context))
        .use((req, res) => answer(req, res.status(404), arcgisError(404, "There is nothing at this address.")))
        .use(answerError);
    server.on("request", app);
    return {
        url,
        origin,
        settings,
        clients,
        people,
        servers,
        serverTokens,
        layers: services.map(({ name }) => `${origin}${serverPath}/rest/services/${name}/FeatureServer/0`),
        faults,
        log,
        revoked: grants.revoked,
        expireAccessTokens: grants.expireAccessTokens,
        expireRefreshTokens: grants.expireRefreshTokens,
        close: () => new Promise((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
        }),
    };
}
const pageHeaders = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": contentSecurityPolicy(),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
};
const welcome = {
    title: "The sandbox portal",
    message: "This pretend portal signs sample people in to the app.",
    advice: "There is nothing to do here: go to the app, and sign in from there.",
};
function requestOf({ method, path, query, body, headers }, time) {
    return { time, method, path, endpoint: undefined, query: query, params: body ?? {}, headers };
}
/** A request that cannot be read is the client's fault and has a status; anything else is a bug of ours. */
function answerError(error, req, res, next) {
    const { status = 500, message } = error;
    if (status >= 500)
        console.error(error);
    if (res.headersSent)
        next(error);
    else
        answer(req, res.status(status), arcgisError(status, status < 500 ? message : "The sandbox failed."));
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicG9ydGFsLmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsicG9ydGFsLnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiJBQUFBLE9BQU8sRUFBRSxZQUFZLEVBQTRCLE1BQU0sV0FBVyxDQUFDO0FBRW5FLE9BQU8sT0FBTyxFQUFFLEVBQWtELE1BQU0sU0FBUyxDQUFDO0FBQ2xGLE9BQU8sRUFBRSxNQUFNLEVBQUUsV0FBVyxFQUFlLE1BQU0sY0FBYyxDQUFDO0FBQ2hFLE9BQU8sRUFBRSxlQUFlLEVBQUUsTUFBTSxnQkFBZ0IsQ0FBQztBQUNqRCxPQUFPLEVBQUUsYUFBYSxFQUFFLE1BQU0sY0FBYyxDQUFDO0FBRTdDLE9BQU8sRUFBRSxTQUFTLEVBQUUsTUFBTSxXQUFXLENBQUM7QUFDdEMsT0FBTyxFQUE4QixhQUFhLEVBQUUsTUFBTSxFQUFFLE1BQU0sYUFBYSxDQUFDO0FBQ2hGLE9BQU8sRUFBRSxtQkFBbUIsRUFBRSxVQUFVLEVBQUUsTUFBTSxxQkFBcUIsQ0FBQztBQUN0RSxPQUFPLEVBQUUsVUFBVSxFQUFFLE1BQU0sYUFBYSxDQUFDO0FBQ3pDLE9BQU8sRUFBRSxRQUFRLEVBQUUsTUFBTSxhQUFhLENBQUM7QUFDdkMsT0FBTyxFQUFFLHFCQUFxQixFQUFFLFdBQVcsRUFBRSxNQUFNLFlBQVksQ0FBQztBQUNoRSxPQUFPLEVBQWUsWUFBWSxFQUFFLE1BQU0sYUFBYSxDQUFDO0FBQ3hELE9BQU8sRUFBRSxVQUFVLEVBQUUsTUFBTSxXQUFXLENBQUM7QUFDdkMsT0FBTyxFQUFvQixpQkFBaUIsRUFBRSxNQUFNLG1CQUFtQixDQUFDO0FBQ3hFLE9BQU8sRUFBRSxXQUFXLEVBQUUsTUFBTSxZQUFZLENBQUM7QUF1RHpDLE1BQU0sUUFBUSxHQUFzQixDQUFDLFdBQVcsRUFBRSxLQUFLLEVBQUUsV0FBVyxDQUFDLENBQUM7QUFDdEUsTUFBTSxTQUFTLEdBQUcsTUFBTSxDQUFDO0FBRXpCOzs7OztHQUtHO0FBQ0gsTUFBTSxDQUFDLEtBQUssVUFBVSxZQUFZLENBQUMsT0FBdUI7SUFDeEQsTUFBTSxFQUFFLElBQUksR0FBRyxXQUFXLEVBQUUsSUFBSSxHQUFHLENBQUMsRUFBRSxTQUFTLEVBQUUsR0FBRyxHQUFHLElBQUksQ0FBQyxHQUFHLEVBQUUsR0FBRyxPQUFPLENBQUM7SUFDNUUsSUFBSSxPQUFPLENBQUMsR0FBRyxDQUFDLFFBQVEsS0FBSyxZQUFZLEVBQUUsQ0FBQztRQUMxQyxNQUFNLElBQUksS0FBSyxDQUFDLGtGQUFrRixDQUFDLENBQUM7SUFDdEcsQ0FBQztJQUNELElBQUksQ0FBQyxRQUFRLENBQUMsUUFBUSxDQUFDLElBQUksQ0FBQyxFQUFFLENBQUM7UUFDN0IsTUFBTSxJQUFJLEtBQUssQ0FDYixnREFBZ0QsUUFBUSxDQUFDLElBQUksQ0FBQyxJQUFJLENBQUMsY0FBYyxJQUFJLElBQUksQ0FDMUYsQ0FBQztJQUNKLENBQUM7SUFFRCxNQUFNLFFBQVEsR0FBb0I7UUFDaEMsV0FBVyxFQUFFLEVBQUUsR0FBRyxFQUFFO1FBQ3BCLGtCQUFrQixFQUFFLEVBQUUsR0FBRyxFQUFFO1FBQzNCLG1CQUFtQixFQUFFLFNBQVM7UUFDOUIsV0FBVyxFQUFFLEtBQUs7UUFDbEIsc0JBQXNCLEVBQUUsS0FBSztRQUM3QixjQUFjLEVBQUUsS0FBSztLQUN0QixDQUFDO0lBQ0YsTUFBTSxPQUFPLEdBQUcsQ0FBQyxHQUFHLE9BQU8sQ0FBQyxPQUFPLENBQUMsQ0FBQztJQUNyQyxNQUFNLE1BQU0sR0FBRyxZQUFZLEVBQUUsQ0FBQztJQUM5QixNQUFNLE9BQU8sR0FBYSxFQUFFLENBQUM7SUFDN0IsTUFBTSxZQUFZLEdBQUcsSUFBSSxHQUFHLEVBQXVCLENBQUM7SUFDcEQsTUFBTSxNQUFNLEdBQUcsVUFBVSxDQUFDLFFBQVEsRUFBRSxHQUFHLEVBQUUsU0FBUyxDQUFDLENBQUM7SUFDcEQsTUFBTSxNQUFNLEdBQUcsYUFBYSxFQUFFLENBQUM7SUFDL0IsTUFBTSxHQUFHLEdBQXFCLEVBQUUsQ0FBQztJQUVqQyxNQUFNLE1BQU0sR0FBRyxZQUFZLEVBQUUsQ0FBQztJQUM5QixNQUFNLElBQUksT0FBTyxDQUFPLENBQUMsT0FBTyxFQUFFLE1BQU0sRUFBRSxFQUFFO1FBQzFDLE1BQU0sQ0FBQyxJQUFJLENBQUMsT0FBTyxFQUFFLE1BQU0sQ0FBQyxDQUFDLE1BQU0sQ0FBQyxJQUFJLEVBQUUsSUFBSSxFQUFFLE9BQU8sQ0FBQyxDQUFDO0lBQzNELENBQUMsQ0FBQyxDQUFDO0lBQ0gsTUFBTSxNQUFNLEdBQUcsVUFBVSxJQUFJLENBQUMsUUFBUSxDQUFDLEdBQUcsQ0FBQyxDQUFDLENBQUMsQ0FBQyxJQUFJLElBQUksR0FBRyxDQUFDLENBQUMsQ0FBQyxJQUFJLElBQUssTUFBTSxDQUFDLE9BQU8sRUFBa0IsQ0FBQyxJQUFJLEVBQUUsQ0FBQztJQUM3RyxNQUFNLEdBQUcsR0FBRyxHQUFHLE1BQU0sc0JBQXNCLENBQUM7SUFDNUMsT0FBTyxDQUFDLElBQUksQ0FBQyxHQUFHLE1BQU0sR0FBRyxVQUFVLEVBQUUsQ0FBQyxDQUFDO0lBRXZDLE1BQU0sT0FBTyxHQUFZO1FBQ3ZCLE1BQU07UUFDTixHQUFHO1FBQ0gsT0FBTztRQUNQLE1BQU07UUFDTixPQUFPO1FBQ1AsWUFBWTtRQUNaLFFBQVE7UUFDUixNQUFNO1FBQ04sR0FBRztRQUNILEVBQUUsRUFBRSxDQUFDLFFBQVEsRUFBRSxFQUFFLENBQUMsQ0FBQyxJQUFJLEVBQUUsR0FBRyxFQUFFLElBQUksRUFBRSxFQUFFO1lBQ3BDLEdBQUcsQ0FBQyxNQUFNLENBQUMsT0FBTyxDQUFDLFFBQVEsR0FBRyxRQUFRLENBQUM7WUFDdkMsTUFBTSxLQUFLLEdBQUcsTUFBTSxDQUFDLElBQUksQ0FBQyxRQUFRLENBQUMsQ0FBQztZQUNwQyxJQUFJLENBQUMsS0FBSztnQkFBRSxPQUFPLElBQUksRUFBRSxDQUFDO1lBQzFCLEdBQUcsQ0FBQyxNQUFNLENBQUMsSUFBSSxHQUFHLFFBQVEsS0FBSyxXQUFXLElBQUksS0FBSyxDQUFDLElBQUksS0FBSyxNQUFNLENBQUM7WUFDcEUsSUFBSSxHQUFHLENBQUMsTUFBTSxDQUFDLElBQUk7Z0JBQUUsSUFBSSxFQUFFLENBQUM7O2dCQUN2QixNQUFNLENBQUMsS0FBSyxFQUFFLEdBQUcsRUFBRSxJQUFJLENBQUMsQ0FBQztRQUNoQyxDQUFDO0tBQ0YsQ0FBQztJQUVGLE1BQU0sR0FBRyxHQUFHLE9BQU8sRUFBRTtTQUNsQixPQUFPLENBQUMsY0FBYyxDQUFDO1NBQ3ZCLE9BQU8sQ0FBQyxNQUFNLENBQUM7U0FDZixHQUFHLENBQUMsYUFBYSxFQUFFLEtBQUssQ0FBQztTQUN6QixHQUFHLENBQUMsT0FBTyxFQUFFLFdBQVcsQ0FBQztTQUN6QixHQUFHLENBQUMsT0FBTyxDQUFDLFVBQVUsQ0FBQyxFQUFFLFFBQVEsRUFBRSxLQUFLLEVBQUUsQ0FBQyxDQUFDO1NBQzVDLEdBQUcsQ0FBQyxDQUFDLEdBQUcsRUFBRSxHQUFHLEVBQUUsSUFBSSxFQUFFLEVBQUU7UUFDdEIsR0FBRyxDQUFDLE1BQU0sQ0FBQyxPQUFPLEdBQUcsU0FBUyxDQUFDLEdBQUcsRUFBRSxHQUFHLEVBQUUsQ0FBQyxDQUFDO1FBQzNDLElBQUksR0FBRyxDQUFDLElBQUksQ0FBQyxHQUFHLENBQUMsTUFBTSxDQUFDLE9BQU8sQ0FBQyxHQUFHLFNBQVM7WUFBRSxHQUFHLENBQUMsS0FBSyxFQUFFLENBQUM7UUFDMUQsR0FBRyxDQUFDLEdBQUcsQ0FBQyxXQUFXLENBQUMsQ0FBQztRQUNyQixJQUFJLEVBQUUsQ0FBQztJQUNULENBQUMsQ0FBQztTQUNELEdBQUcsQ0FBQyxxQkFBcUIsRUFBRSxDQUFDLElBQUksRUFBRSxHQUFHLEVBQUUsRUFBRSxDQUFDLEdBQUcsQ0FBQyxRQUFRLENBQUMsYUFBYSxFQUFFLEVBQUUsSUFBSSxFQUFFLFdBQVcsRUFBRSxDQUFDLENBQUM7U0FDN0YsR0FBRyxDQUFDLENBQUMsR0FBRyxFQUFFLFNBQVMsRUFBRSxjQUFjLENBQUMsRUFBRSxDQUFDLElBQUksRUFBRSxHQUFHLEVBQUUsRUFBRSxDQUFDLEdBQUcsQ0FBQyxNQUFNLENBQUMsU0FBUyxFQUFFLE9BQU8sQ0FBQyxDQUFDO1FBQ3JGLDBGQUEwRjtTQUN6RixHQUFHLENBQUMsQ0FBQyxzQkFBc0IsRUFBRSxpQkFBaUIsQ0FBQyxFQUFFLGVBQWUsQ0FBQyxPQUFPLENBQUMsRUFBRSxXQUFXLENBQUMsT0FBTyxDQUFDLENBQUM7U0FDaEcsR0FBRyxDQUFDLENBQUMsc0JBQXNCLEVBQUUsaUJBQWlCLEVBQUUsVUFBVSxDQUFDLEVBQUUsU0FBUyxDQUFDLE9BQU8sQ0FBQyxDQUFDO1NBQ2hGLEdBQUcsQ0FBQyxDQUFDLHNCQUFzQixFQUFFLGlCQUFpQixDQUFDLEVBQUUsaUJBQWlCLENBQUMsT0FBTyxDQUFDLENBQUM7U0FDNUUsR0FBRyxDQUFDLHNCQUFzQixFQUFFLFVBQVUsQ0FBQyxPQUFPLENBQUMsRUFBRSxhQUFhLENBQUMsT0FBTyxDQUFDLENBQUM7U0FDeEUsR0FBRyxDQUFDLFVBQVUsRUFBRSxtQkFBbUIsQ0FBQyxPQUFPLENBQUMsQ0FBQztTQUM3QyxHQUFHLENBQUMsQ0FBQyxHQUFHLEVBQUUsR0FBRyxFQUFFLEVBQUUsQ0FBQyxNQUFNLENBQUMsR0FBRyxFQUFFLEdBQUcsQ0FBQyxNQUFNLENBQUMsR0FBRyxDQUFDLEVBQUUsV0FBVyxDQUFDLEdBQUcsRUFBRSxtQ0FBbUMsQ0FBQyxDQUFDLENBQUM7U0FDdEcsR0FBRyxDQUFDLFdBQVcsQ0FBQyxDQUFDO0lBQ3BCLE1BQU0sQ0FBQyxFQUFFLENBQUMsU0FBUyxFQUFFLEdBQUcsQ0FBQyxDQUFDO0lBRTFCLE9BQU87UUFDTCxHQUFHO1FBQ0gsTUFBTTtRQUNOLFFBQVE7UUFDUixPQUFPO1FBQ1AsTUFBTTtRQUNOLE9BQU87UUFDUCxZQUFZO1FBQ1osTUFBTSxFQUFFLFFBQVEsQ0FBQyxHQUFHLENBQUMsQ0FBQyxFQUFFLElBQUksRUFBRSxFQUFFLEVBQUUsQ0FBQyxHQUFHLE1BQU0sR0FBRyxVQUFVLGtCQUFrQixJQUFJLGtCQUFrQixDQUFDO1FBQ2xHLE1BQU07UUFDTixHQUFHO1FBQ0gsT0FBTyxFQUFFLE1BQU0sQ0FBQyxPQUFPO1FBQ3ZCLGtCQUFrQixFQUFFLE1BQU0sQ0FBQyxrQkFBa0I7UUFDN0MsbUJBQW1CLEVBQUUsTUFBTSxDQUFDLG1CQUFtQjtRQUMvQyxLQUFLLEVBQUUsR0FBRyxFQUFFLENBQ1YsSUFBSSxPQUFPLENBQUMsQ0FBQyxPQUFPLEVBQUUsRUFBRTtZQUN0QixNQUFNLENBQUMsS0FBSyxDQUFDLEdBQUcsRUFBRSxDQUFDLE9BQU8sRUFBRSxDQUFDLENBQUM7WUFDOUIsTUFBTSxDQUFDLG1CQUFtQixFQUFFLENBQUM7UUFDL0IsQ0FBQyxDQUFDO0tBQ0wsQ0FBQztBQUNKLENBQUM7QUFFRCxNQUFNLFdBQVcsR0FBRztJQUNsQixlQUFlLEVBQUUsVUFBVTtJQUMzQix5QkFBeUIsRUFBRSxxQkFBcUIsRUFBRTtJQUNsRCxpQkFBaUIsRUFBRSxhQUFhO0lBQ2hDLHdCQUF3QixFQUFFLFNBQVM7Q0FDcEMsQ0FBQztBQUVGLE1BQU0sT0FBTyxHQUFHO0lBQ2QsS0FBSyxFQUFFLG9CQUFvQjtJQUMzQixPQUFPLEVBQUUsd0RBQXdEO0lBQ2pFLE1BQU0sRUFBRSxxRUFBcUU7Q0FDOUUsQ0FBQztBQUVGLFNBQVMsU0FBUyxDQUFDLEVBQUUsTUFBTSxFQUFFLElBQUksRUFBRSxLQUFLLEVBQUUsSUFBSSxFQUFFLE9BQU8sRUFBVyxFQUFFLElBQVk7SUFDOUUsT0FBTyxFQUFFLElBQUksRUFBRSxNQUFNLEVBQUUsSUFBSSxFQUFFLFFBQVEsRUFBRSxTQUFTLEVBQUUsS0FBSyxFQUFFLEtBQWUsRUFBRSxNQUFNLEVBQUUsSUFBSSxJQUFJLEVBQUUsRUFBRSxPQUFPLEVBQUUsQ0FBQztBQUMxRyxDQUFDO0FBRUQsNEdBQTRHO0FBQzVHLFNBQVMsV0FBVyxDQUNsQixLQUFrQyxFQUNsQyxHQUFZLEVBQ1osR0FBYSxFQUNiLElBQWtCO0lBRWxCLE1BQU0sRUFBRSxNQUFNLEdBQUcsR0FBRyxFQUFFLE9BQU8sRUFBRSxHQUFHLEtBQUssQ0FBQztJQUN4QyxJQUFJLE1BQU0sSUFBSSxHQUFHO1FBQUUsT0FBTyxDQUFDLEtBQUssQ0FBQyxLQUFLLENBQUMsQ0FBQztJQUN4QyxJQUFJLEdBQUcsQ0FBQyxXQUFXO1FBQUUsSUFBSSxDQUFDLEtBQUssQ0FBQyxDQUFDOztRQUM1QixNQUFNLENBQUMsR0FBRyxFQUFFLEdBQUcsQ0FBQyxNQUFNLENBQUMsTUFBTSxDQUFDLEVBQUUsV0FBVyxDQUFDLE1BQU0sRUFBRSxNQUFNLEdBQUcsR0FBRyxDQUFDLENBQUMsQ0FBQyxPQUFPLENBQUMsQ0FBQyxDQUFDLHFCQUFxQixDQUFDLENBQUMsQ0FBQztBQUM1RyxDQUFDIn0=
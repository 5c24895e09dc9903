/**
 * Lets the pages of registered apps read an answer, with cookies or without, as ArcGIS does for its allowed
 * origins: exactly the origins of their redirect URIs.
 */
export function allowApps({ clients }) {
    return (req, res, next) => {
        const origin = req.get("Origin");
        const redirectUris = clients.flatMap(({ redirectUris }) => redirectUris);
        res.vary("Origin");
        if (origin && redirectUris.some((uri) => new URL(uri).origin === origin)) {
            res.set({
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Credentials": "true",
                "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Esri-Authorization, X-Requested-With",
                "Access-Control-Allow-Methods": "GET, HEAD, POST",
            });
        }
        if (req.method === "OPTIONS")
            res.status(204).end();
        else
            next();
    };
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoiY29ycy5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbImNvcnMudHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBR0E7OztHQUdHO0FBQ0gsTUFBTSxVQUFVLFNBQVMsQ0FBQyxFQUFFLE9BQU8sRUFBNEI7SUFDN0QsT0FBTyxDQUFDLEdBQUcsRUFBRSxHQUFHLEVBQUUsSUFBSSxFQUFFLEVBQUU7UUFDeEIsTUFBTSxNQUFNLEdBQUcsR0FBRyxDQUFDLEdBQUcsQ0FBQyxRQUFRLENBQUMsQ0FBQztRQUNqQyxNQUFNLFlBQVksR0FBRyxPQUFPLENBQUMsT0FBTyxDQUFDLENBQUMsRUFBRSxZQUFZLEVBQUUsRUFBRSxFQUFFLENBQUMsWUFBWSxDQUFDLENBQUM7UUFDekUsR0FBRyxDQUFDLElBQUksQ0FBQyxRQUFRLENBQUMsQ0FBQztRQUNuQixJQUFJLE1BQU0sSUFBSSxZQUFZLENBQUMsSUFBSSxDQUFDLENBQUMsR0FBRyxFQUFFLEVBQUUsQ0FBQyxJQUFJLEdBQUcsQ0FBQyxHQUFHLENBQUMsQ0FBQyxNQUFNLEtBQUssTUFBTSxDQUFDLEVBQUUsQ0FBQztZQUN6RSxHQUFHLENBQUMsR0FBRyxDQUFDO2dCQUNOLDZCQUE2QixFQUFFLE1BQU07Z0JBQ3JDLGtDQUFrQyxFQUFFLE1BQU07Z0JBQzFDLDhCQUE4QixFQUFFLHFFQUFxRTtnQkFDckcsOEJBQThCLEVBQUUsaUJBQWlCO2FBQ2xELENBQUMsQ0FBQztRQUNMLENBQUM7UUFDRCxJQUFJLEdBQUcsQ0FBQyxNQUFNLEtBQUssU0FBUztZQUFFLEdBQUcsQ0FBQyxNQUFNLENBQUMsR0FBRyxDQUFDLENBQUMsR0FBRyxFQUFFLENBQUM7O1lBQy9DLElBQUksRUFBRSxDQUFDO0lBQ2QsQ0FBQyxDQUFDO0FBQ0osQ0FBQyJ9
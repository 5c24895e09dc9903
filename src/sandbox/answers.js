/*
 * The shapes of ArcGIS's errors. They travel with HTTP status 200. Seen in Esri/arcgis-rest-js,
 * packages/arcgis-rest-request/test/mocks/errors.ts and ArcGISIdentityManager.test.ts.
 */
/** The general shape: `{error: {code, message, details}}`. */
export function arcgisError(code, message) {
    return { error: { code, message, details: [] } };
}
/** The shape of `oauth2/token`: the words of RFC 6749, 5.2, inside ArcGIS's envelope. */
export function oauthError(code, error, description) {
    return { error: { code, error, error_description: description, message: description, details: [] } };
}
/** A parameter is missing. Here, and only here, `details` is left out (Esri/arcgis-rest-js issue 1290). */
export function notSpecified(parameter) {
    const description = `${parameter} not specified`;
    return {
        error: { code: 400, error: "invalid_request", error_description: description, message: description },
    };
}
export const invalidClientId = oauthError(400, "invalid_client_id", "Invalid client_id");
export const invalidToken = arcgisError(498, "Invalid token.");
export const tokenRequired = {
    error: { code: 499, message: "Token Required", messageCode: "GWM_0003", details: ["Token Required"] },
};
/** Gives a parameter that was sent exactly once and is not empty. */
export function text(params, name) {
    const value = Object.hasOwn(params, name) ? params[name] : undefined;
    return typeof value === "string" && value !== "" ? value : undefined;
}
/** Query and form together: ArcGIS takes a parameter from either. The form wins. */
export function paramsOf(req) {
    return { ...req.query, ...req.body };
}
/** Answers JSON to `f=json` and `f=pjson`, and to anything else a page that shows the same, as ArcGIS does. */
export function answer(req, res, body) {
    const format = text(paramsOf(req), "f");
    if (format === "json")
        res.json(body);
    else if (format === "pjson")
        res.type("json").send(JSON.stringify(body, undefined, 2));
    else
        res.render("answer", { title: req.path, json: JSON.stringify(body, undefined, 2) });
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoiYW5zd2Vycy5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbImFuc3dlcnMudHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBRUE7OztHQUdHO0FBRUgsOERBQThEO0FBQzlELE1BQU0sVUFBVSxXQUFXLENBQUMsSUFBWSxFQUFFLE9BQWU7SUFDdkQsT0FBTyxFQUFFLEtBQUssRUFBRSxFQUFFLElBQUksRUFBRSxPQUFPLEVBQUUsT0FBTyxFQUFFLEVBQWMsRUFBRSxFQUFFLENBQUM7QUFDL0QsQ0FBQztBQUVELHlGQUF5RjtBQUN6RixNQUFNLFVBQVUsVUFBVSxDQUFDLElBQVksRUFBRSxLQUFhLEVBQUUsV0FBbUI7SUFDekUsT0FBTyxFQUFFLEtBQUssRUFBRSxFQUFFLElBQUksRUFBRSxLQUFLLEVBQUUsaUJBQWlCLEVBQUUsV0FBVyxFQUFFLE9BQU8sRUFBRSxXQUFXLEVBQUUsT0FBTyxFQUFFLEVBQUUsRUFBRSxFQUFFLENBQUM7QUFDdkcsQ0FBQztBQUVELDJHQUEyRztBQUMzRyxNQUFNLFVBQVUsWUFBWSxDQUFDLFNBQWlCO0lBQzVDLE1BQU0sV0FBVyxHQUFHLEdBQUcsU0FBUyxnQkFBZ0IsQ0FBQztJQUNqRCxPQUFPO1FBQ0wsS0FBSyxFQUFFLEVBQUUsSUFBSSxFQUFFLEdBQUcsRUFBRSxLQUFLLEVBQUUsaUJBQWlCLEVBQUUsaUJBQWlCLEVBQUUsV0FBVyxFQUFFLE9BQU8sRUFBRSxXQUFXLEVBQUU7S0FDckcsQ0FBQztBQUNKLENBQUM7QUFFRCxNQUFNLENBQUMsTUFBTSxlQUFlLEdBQUcsVUFBVSxDQUFDLEdBQUcsRUFBRSxtQkFBbUIsRUFBRSxtQkFBbUIsQ0FBQyxDQUFDO0FBRXpGLE1BQU0sQ0FBQyxNQUFNLFlBQVksR0FBRyxXQUFXLENBQUMsR0FBRyxFQUFFLGdCQUFnQixDQUFDLENBQUM7QUFFL0QsTUFBTSxDQUFDLE1BQU0sYUFBYSxHQUFHO0lBQzNCLEtBQUssRUFBRSxFQUFFLElBQUksRUFBRSxHQUFHLEVBQUUsT0FBTyxFQUFFLGdCQUFnQixFQUFFLFdBQVcsRUFBRSxVQUFVLEVBQUUsT0FBTyxFQUFFLENBQUMsZ0JBQWdCLENBQUMsRUFBRTtDQUN0RyxDQUFDO0FBS0YscUVBQXFFO0FBQ3JFLE1BQU0sVUFBVSxJQUFJLENBQUMsTUFBYyxFQUFFLElBQVk7SUFDL0MsTUFBTSxLQUFLLEdBQUcsTUFBTSxDQUFDLE1BQU0sQ0FBQyxNQUFNLEVBQUUsSUFBSSxDQUFDLENBQUMsQ0FBQyxDQUFDLE1BQU0sQ0FBQyxJQUFJLENBQUMsQ0FBQyxDQUFDLENBQUMsU0FBUyxDQUFDO0lBQ3JFLE9BQU8sT0FBTyxLQUFLLEtBQUssUUFBUSxJQUFJLEtBQUssS0FBSyxFQUFFLENBQUMsQ0FBQyxDQUFDLEtBQUssQ0FBQyxDQUFDLENBQUMsU0FBUyxDQUFDO0FBQ3ZFLENBQUM7QUFFRCxvRkFBb0Y7QUFDcEYsTUFBTSxVQUFVLFFBQVEsQ0FBQyxHQUFZO0lBQ25DLE9BQU8sRUFBRSxHQUFJLEdBQUcsQ0FBQyxLQUFnQixFQUFFLEdBQUksR0FBRyxDQUFDLElBQTJCLEVBQUUsQ0FBQztBQUMzRSxDQUFDO0FBRUQsK0dBQStHO0FBQy9HLE1BQU0sVUFBVSxNQUFNLENBQUMsR0FBWSxFQUFFLEdBQWEsRUFBRSxJQUFZO0lBQzlELE1BQU0sTUFBTSxHQUFHLElBQUksQ0FBQyxRQUFRLENBQUMsR0FBRyxDQUFDLEVBQUUsR0FBRyxDQUFDLENBQUM7SUFDeEMsSUFBSSxNQUFNLEtBQUssTUFBTTtRQUFFLEdBQUcsQ0FBQyxJQUFJLENBQUMsSUFBSSxDQUFDLENBQUM7U0FDakMsSUFBSSxNQUFNLEtBQUssT0FBTztRQUFFLEdBQUcsQ0FBQyxJQUFJLENBQUMsTUFBTSxDQUFDLENBQUMsSUFBSSxDQUFDLElBQUksQ0FBQyxTQUFTLENBQUMsSUFBSSxFQUFFLFNBQVMsRUFBRSxDQUFDLENBQUMsQ0FBQyxDQUFDOztRQUNsRixHQUFHLENBQUMsTUFBTSxDQUFDLFFBQVEsRUFBRSxFQUFFLEtBQUssRUFBRSxHQUFHLENBQUMsSUFBSSxFQUFFLElBQUksRUFBRSxJQUFJLENBQUMsU0FBUyxDQUFDLElBQUksRUFBRSxTQUFTLEVBQUUsQ0FBQyxDQUFDLEVBQUUsQ0FBQyxDQUFDO0FBQzNGLENBQUMifQ==
// An ArcGIS Enterprise portal calls its only organisation 0123456789ABCDEF. That a second one lives at the
// same address is a liberty of the sandbox: an app can then try what it does with a stranger.
const city = { id: "0123456789ABCDEF", name: "Sandbox City GIS", urlKey: "sandboxcity" };
const county = { id: "FEDCBA9876543210", name: "Neighbour County", urlKey: "neighbourcounty" };
/** The organisation that `portals/self` describes to somebody who is not signed in. */
export const home = city;
export const organisations = [city, county];
const streets = {
    id: "5a6e64c1b2d94f0f9c1d3a7be80d5c11",
    title: "Streets and Signs",
    owner: "sandy_admin",
};
/** Its members see the layer of the street trees. */
export const cityTrees = {
    id: "c0ffee21d4f84a53a7b9d7f3e1a2b3c4",
    title: "City Trees",
    owner: "pia_publisher",
};
const border = {
    id: "9e107d9d372bb6826bd81d3542a419d6",
    title: "Along the Border",
    owner: "ned_county",
};
// A few privileges of each kind, as ArcGIS names them; a real administrator has about seventy.
const viewing = ["portal:user:joinGroup", "portal:user:viewOrgGroups", "portal:user:viewOrgItems"];
const editing = [...viewing, "features:user:edit"];
const creating = [
    ...editing,
    "portal:user:createGroup",
    "portal:user:createItem",
    "portal:user:shareToGroup",
    "portal:user:shareToOrg",
];
const publishing = [...creating, "portal:publisher:publishFeatures", "portal:publisher:publishTiles"];
const administering = [
    ...publishing,
    "features:user:fullEdit",
    "portal:admin:manageSecurity",
    "portal:admin:updateItems",
    "portal:admin:updateUsers",
    "portal:admin:viewItems",
    "portal:admin:viewUsers",
];
/**
 * The people to choose from. The last one is there because names are not ASCII and may look like HTML: an
 * app that greets Zoë correctly greets everybody correctly.
 */
export function samplePeople() {
    return [
        {
            ...named("Sandy", "Boxwell", "sandy_admin"),
            orgId: city.id,
            role: "org_admin",
            roleName: "Administrator",
            privileges: administering,
            groups: [streets, cityTrees],
            userLicenseTypeId: "GISProfessionalAdvUT",
        },
        {
            ...named("Pia", "Marlow", "pia_publisher"),
            orgId: city.id,
            role: "org_publisher",
            roleName: "Publisher",
            privileges: publishing,
            groups: [cityTrees],
            userLicenseTypeId: "creatorUT",
        },
        {
            ...named("Vik", "Rao", "vik_viewer"),
            orgId: city.id,
            role: "org_user",
            roleId: "iAAAAAAAAAAAAAAA",
            roleName: "Viewer",
            privileges: viewing,
            groups: [],
            userLicenseTypeId: "viewerUT",
            level: "1",
        },
        {
            ...named("Ned", "Ashcombe", "ned_county"),
            orgId: county.id,
            email: "ned_county@county.example",
            role: "org_user",
            roleName: "User",
            privileges: creating,
            groups: [border],
            userLicenseTypeId: "creatorUT",
        },
        {
            ...named("Zoë", "日本 <b>", "zoe_editor"),
            orgId: city.id,
            role: "org_user",
            roleId: "Fj3kQ9tWbZx7Lm2p",
            roleName: "Field Editor",
            privileges: editing,
            groups: [streets],
            userLicenseTypeId: "editorUT",
            provider: "enterprise",
            idpUsername: "zoë@city.example",
        },
    ].map((person) => structuredClone(person));
}
function named(firstName, lastName, username) {
    return {
        username,
        fullName: `${firstName} ${lastName}`,
        firstName,
        lastName,
        email: `${username}@city.example`,
        level: "2",
        provider: "arcgis",
        idpUsername: null,
        culture: "en",
    };
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicGVvcGxlLmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsicGVvcGxlLnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiJBQW9DQSwyR0FBMkc7QUFDM0csOEZBQThGO0FBQzlGLE1BQU0sSUFBSSxHQUFpQixFQUFFLEVBQUUsRUFBRSxrQkFBa0IsRUFBRSxJQUFJLEVBQUUsa0JBQWtCLEVBQUUsTUFBTSxFQUFFLGFBQWEsRUFBRSxDQUFDO0FBQ3ZHLE1BQU0sTUFBTSxHQUFpQixFQUFFLEVBQUUsRUFBRSxrQkFBa0IsRUFBRSxJQUFJLEVBQUUsa0JBQWtCLEVBQUUsTUFBTSxFQUFFLGlCQUFpQixFQUFFLENBQUM7QUFFN0csdUZBQXVGO0FBQ3ZGLE1BQU0sQ0FBQyxNQUFNLElBQUksR0FBaUIsSUFBSSxDQUFDO0FBRXZDLE1BQU0sQ0FBQyxNQUFNLGFBQWEsR0FBNEIsQ0FBQyxJQUFJLEVBQUUsTUFBTSxDQUFDLENBQUM7QUFFckUsTUFBTSxPQUFPLEdBQVU7SUFDckIsRUFBRSxFQUFFLGtDQUFrQztJQUN0QyxLQUFLLEVBQUUsbUJBQW1CO0lBQzFCLEtBQUssRUFBRSxhQUFhO0NBQ3JCLENBQUM7QUFDRixxREFBcUQ7QUFDckQsTUFBTSxDQUFDLE1BQU0sU0FBUyxHQUFVO0lBQzlCLEVBQUUsRUFBRSxrQ0FBa0M7SUFDdEMsS0FBSyxFQUFFLFlBQVk7SUFDbkIsS0FBSyxFQUFFLGVBQWU7Q0FDdkIsQ0FBQztBQUNGLE1BQU0sTUFBTSxHQUFVO0lBQ3BCLEVBQUUsRUFBRSxrQ0FBa0M7SUFDdEMsS0FBSyxFQUFFLGtCQUFrQjtJQUN6QixLQUFLLEVBQUUsWUFBWTtDQUNwQixDQUFDO0FBRUYsK0ZBQStGO0FBQy9GLE1BQU0sT0FBTyxHQUFHLENBQUMsdUJBQXVCLEVBQUUsMkJBQTJCLEVBQUUsMEJBQTBCLENBQUMsQ0FBQztBQUNuRyxNQUFNLE9BQU8sR0FBRyxDQUFDLEdBQUcsT0FBTyxFQUFFLG9CQUFvQixDQUFDLENBQUM7QUFDbkQsTUFBTSxRQUFRLEdBQUc7SUFDZixHQUFHLE9BQU87SUFDVix5QkFBeUI7SUFDekIsd0JBQXdCO0lBQ3hCLDBCQUEwQjtJQUMxQix3QkFBd0I7Q0FDekIsQ0FBQztBQUNGLE1BQU0sVUFBVSxHQUFHLENBQUMsR0FBRyxRQUFRLEVBQUUsa0NBQWtDLEVBQUUsK0JBQStCLENBQUMsQ0FBQztBQUN0RyxNQUFNLGFBQWEsR0FBRztJQUNwQixHQUFHLFVBQVU7SUFDYix3QkFBd0I7SUFDeEIsNkJBQTZCO0lBQzdCLDBCQUEwQjtJQUMxQiwwQkFBMEI7SUFDMUIsd0JBQXdCO0lBQ3hCLHdCQUF3QjtDQUN6QixDQUFDO0FBRUY7OztHQUdHO0FBQ0gsTUFBTSxVQUFVLFlBQVk7SUFDMUIsT0FBTztRQUNMO1lBQ0UsR0FBRyxLQUFLLENBQUMsT0FBTyxFQUFFLFNBQVMsRUFBRSxhQUFhLENBQUM7WUFDM0MsS0FBSyxFQUFFLElBQUksQ0FBQyxFQUFFO1lBQ2QsSUFBSSxFQUFFLFdBQVc7WUFDakIsUUFBUSxFQUFFLGVBQWU7WUFDekIsVUFBVSxFQUFFLGFBQWE7WUFDekIsTUFBTSxFQUFFLENBQUMsT0FBTyxFQUFFLFNBQVMsQ0FBQztZQUM1QixpQkFBaUIsRUFBRSxzQkFBc0I7U0FDMUM7UUFDRDtZQUNFLEdBQUcsS0FBSyxDQUFDLEtBQUssRUFBRSxRQUFRLEVBQUUsZUFBZSxDQUFDO1lBQzFDLEtBQUssRUFBRSxJQUFJLENBQUMsRUFBRTtZQUNkLElBQUksRUFBRSxlQUFlO1lBQ3JCLFFBQVEsRUFBRSxXQUFXO1lBQ3JCLFVBQVUsRUFBRSxVQUFVO1lBQ3RCLE1BQU0sRUFBRSxDQUFDLFNBQVMsQ0FBQztZQUNuQixpQkFBaUIsRUFBRSxXQUFXO1NBQy9CO1FBQ0Q7WUFDRSxHQUFHLEtBQUssQ0FBQyxLQUFLLEVBQUUsS0FBSyxFQUFFLFlBQVksQ0FBQztZQUNwQyxLQUFLLEVBQUUsSUFBSSxDQUFDLEVBQUU7WUFDZCxJQUFJLEVBQUUsVUFBVTtZQUNoQixNQUFNLEVBQUUsa0JBQWtCO1lBQzFCLFFBQVEsRUFBRSxRQUFRO1lBQ2xCLFVBQVUsRUFBRSxPQUFPO1lBQ25CLE1BQU0sRUFBRSxFQUFFO1lBQ1YsaUJBQWlCLEVBQUUsVUFBVTtZQUM3QixLQUFLLEVBQUUsR0FBRztTQUNYO1FBQ0Q7WUFDRSxHQUFHLEtBQUssQ0FBQyxLQUFLLEVBQUUsVUFBVSxFQUFFLFlBQVksQ0FBQztZQUN6QyxLQUFLLEVBQUUsTUFBTSxDQUFDLEVBQUU7WUFDaEIsS0FBSyxFQUFFLDJCQUEyQjtZQUNsQyxJQUFJLEVBQUUsVUFBVTtZQUNoQixRQUFRLEVBQUUsTUFBTTtZQUNoQixVQUFVLEVBQUUsUUFBUTtZQUNwQixNQUFNLEVBQUUsQ0FBQyxNQUFNLENBQUM7WUFDaEIsaUJBQWlCLEVBQUUsV0FBVztTQUMvQjtRQUNEO1lBQ0UsR0FBRyxLQUFLLENBQUMsS0FBSyxFQUFFLFFBQVEsRUFBRSxZQUFZLENBQUM7WUFDdkMsS0FBSyxFQUFFLElBQUksQ0FBQyxFQUFFO1lBQ2QsSUFBSSxFQUFFLFVBQVU7WUFDaEIsTUFBTSxFQUFFLGtCQUFrQjtZQUMxQixRQUFRLEVBQUUsY0FBYztZQUN4QixVQUFVLEVBQUUsT0FBTztZQUNuQixNQUFNLEVBQUUsQ0FBQyxPQUFPLENBQUM7WUFDakIsaUJBQWlCLEVBQUUsVUFBVTtZQUM3QixRQUFRLEVBQUUsWUFBWTtZQUN0QixXQUFXLEVBQUUsa0JBQWtCO1NBQ2hDO0tBQ0YsQ0FBQyxHQUFHLENBQUMsQ0FBQyxNQUFNLEVBQUUsRUFBRSxDQUFDLGVBQWUsQ0FBQyxNQUFNLENBQVcsQ0FBQyxDQUFDO0FBQ3ZELENBQUM7QUFFRCxTQUFTLEtBQUssQ0FBQyxTQUFpQixFQUFFLFFBQWdCLEVBQUUsUUFBZ0I7SUFDbEUsT0FBTztRQUNMLFFBQVE7UUFDUixRQUFRLEVBQUUsR0FBRyxTQUFTLElBQUksUUFBUSxFQUFFO1FBQ3BDLFNBQVM7UUFDVCxRQUFRO1FBQ1IsS0FBSyxFQUFFLEdBQUcsUUFBUSxlQUFlO1FBQ2pDLEtBQUssRUFBRSxHQUFZO1FBQ25CLFFBQVEsRUFBRSxRQUFpQjtRQUMzQixXQUFXLEVBQUUsSUFBSTtRQUNqQixPQUFPLEVBQUUsSUFBSTtLQUNkLENBQUM7QUFDSixDQUFDIn0=
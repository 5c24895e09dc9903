import { createClient, createCluster } from "redis";
/** Makes a driver that is not connected yet. Its commands fail until it is, and for ever once it is lost. */
export function driverFor(address, patienceMs) {
    const { nodes, socketPath, cluster, tls, username, password, database } = address;
    const options = { username, password, disableOfflineQueue: true };
    const socket = {
        connectTimeout: patienceMs,
        // For a greeting without an answer. Later the beats notice sooner.
        socketTimeout: 2 * patienceMs,
        reconnectStrategy: false,
        ...(tls && { tls }),
    };
    if (cluster) {
        const rootNodes = nodes.map((node) => ({ socket: node }));
        // Nodes are connected to one by one when they are needed, so that a node that is away holds up no other.
        return clusterDriver({ rootNodes, defaults: { ...options, socket }, minimizeConnections: true });
    }
    const place = socketPath === undefined ? nodes[0] : { path: socketPath };
    return serverDriver({ ...options, database, socket: { ...socket, ...place } });
}
function serverDriver(options) {
    const client = createClient(options);
    return { client, ping: () => client.ping(), cut: () => end(client), end: () => end(client) };
}
function clusterDriver(options) {
    const client = createCluster(options);
    const silent = new Set();
    async function ping(node) {
        silent.add(node);
        const server = await client.nodeClient(node);
        await server.ping();
        silent.delete(node);
    }
    return {
        client,
        async ping() {
            const answers = await Promise.allSettled(client.masters.map(ping));
            for (const answer of answers)
                if (answer.status === "rejected")
                    throw answer.reason;
        },
        cut() {
            for (const node of silent)
                end(node.client);
        },
        // Its own `destroy` stops half-way at the first node that is closed already.
        end() {
            for (const node of client.nodeByAddress.values())
                end(node.client);
        },
    };
}
function end(client) {
    if (client?.isOpen)
        client.destroy();
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicmVkaXMtZHJpdmVyLmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsicmVkaXMtZHJpdmVyLnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiJBQUFBLE9BQU8sRUFBRSxZQUFZLEVBQUUsYUFBYSxFQUFFLE1BQU0sT0FBTyxDQUFDO0FBb0NwRCw2R0FBNkc7QUFDN0csTUFBTSxVQUFVLFNBQVMsQ0FBQyxPQUFxQixFQUFFLFVBQWtCO0lBQ2pFLE1BQU0sRUFBRSxLQUFLLEVBQUUsVUFBVSxFQUFFLE9BQU8sRUFBRSxHQUFHLEVBQUUsUUFBUSxFQUFFLFFBQVEsRUFBRSxRQUFRLEVBQUUsR0FBRyxPQUFPLENBQUM7SUFDbEYsTUFBTSxPQUFPLEdBQUcsRUFBRSxRQUFRLEVBQUUsUUFBUSxFQUFFLG1CQUFtQixFQUFFLElBQUksRUFBRSxDQUFDO0lBQ2xFLE1BQU0sTUFBTSxHQUFHO1FBQ2IsY0FBYyxFQUFFLFVBQVU7UUFDMUIsbUVBQW1FO1FBQ25FLGFBQWEsRUFBRSxDQUFDLEdBQUcsVUFBVTtRQUM3QixpQkFBaUIsRUFBRSxLQUFjO1FBQ2pDLEdBQUcsQ0FBQyxHQUFHLElBQUksRUFBRSxHQUFHLEVBQUUsQ0FBQztLQUNwQixDQUFDO0lBQ0YsSUFBSSxPQUFPLEVBQUUsQ0FBQztRQUNaLE1BQU0sU0FBUyxHQUFHLEtBQUssQ0FBQyxHQUFHLENBQUMsQ0FBQyxJQUFJLEVBQUUsRUFBRSxDQUFDLENBQUMsRUFBRSxNQUFNLEVBQUUsSUFBSSxFQUFFLENBQUMsQ0FBQyxDQUFDO1FBQzFELHlHQUF5RztRQUN6RyxPQUFPLGFBQWEsQ0FBQyxFQUFFLFNBQVMsRUFBRSxRQUFRLEVBQUUsRUFBRSxHQUFHLE9BQU8sRUFBRSxNQUFNLEVBQUUsRUFBRSxtQkFBbUIsRUFBRSxJQUFJLEVBQUUsQ0FBQyxDQUFDO0lBQ25HLENBQUM7SUFDRCxNQUFNLEtBQUssR0FBRyxVQUFVLEtBQUssU0FBUyxDQUFDLENBQUMsQ0FBQyxLQUFLLENBQUMsQ0FBQyxDQUFDLENBQUMsQ0FBQyxDQUFDLEVBQUUsSUFBSSxFQUFFLFVBQVUsRUFBRSxDQUFDO0lBQ3pFLE9BQU8sWUFBWSxDQUFDLEVBQUUsR0FBRyxPQUFPLEVBQUUsUUFBUSxFQUFFLE1BQU0sRUFBRSxFQUFFLEdBQUcsTUFBTSxFQUFFLEdBQUcsS0FBSyxFQUFFLEVBQUUsQ0FBQyxDQUFDO0FBQ2pGLENBQUM7QUFFRCxTQUFTLFlBQVksQ0FBQyxPQUEyQztJQUMvRCxNQUFNLE1BQU0sR0FBRyxZQUFZLENBQUMsT0FBTyxDQUEyQixDQUFDO0lBQy9ELE9BQU8sRUFBRSxNQUFNLEVBQUUsSUFBSSxFQUFFLEdBQUcsRUFBRSxDQUFDLE1BQU0sQ0FBQyxJQUFJLEVBQUUsRUFBRSxHQUFHLEVBQUUsR0FBRyxFQUFFLENBQUMsR0FBRyxDQUFDLE1BQU0sQ0FBQyxFQUFFLEdBQUcsRUFBRSxHQUFHLEVBQUUsQ0FBQyxHQUFHLENBQUMsTUFBTSxDQUFDLEVBQUUsQ0FBQztBQUMvRixDQUFDO0FBWUQsU0FBUyxhQUFhLENBQUMsT0FBNEM7SUFDakUsTUFBTSxNQUFNLEdBQUcsYUFBYSxDQUFDLE9BQU8sQ0FBNkIsQ0FBQztJQUNsRSxNQUFNLE1BQU0sR0FBRyxJQUFJLEdBQUcsRUFBZSxDQUFDO0lBRXRDLEtBQUssVUFBVSxJQUFJLENBQUMsSUFBaUI7UUFDbkMsTUFBTSxDQUFDLEdBQUcsQ0FBQyxJQUFJLENBQUMsQ0FBQztRQUNqQixNQUFNLE1BQU0sR0FBRyxNQUFNLE1BQU0sQ0FBQyxVQUFVLENBQUMsSUFBSSxDQUFDLENBQUM7UUFDN0MsTUFBTSxNQUFNLENBQUMsSUFBSSxFQUFFLENBQUM7UUFDcEIsTUFBTSxDQUFDLE1BQU0sQ0FBQyxJQUFJLENBQUMsQ0FBQztJQUN0QixDQUFDO0lBRUQsT0FBTztRQUNMLE1BQU07UUFDTixLQUFLLENBQUMsSUFBSTtZQUNSLE1BQU0sT0FBTyxHQUFHLE1BQU0sT0FBTyxDQUFDLFVBQVUsQ0FBQyxNQUFNLENBQUMsT0FBTyxDQUFDLEdBQUcsQ0FBQyxJQUFJLENBQUMsQ0FBQyxDQUFDO1lBQ25FLEtBQUssTUFBTSxNQUFNLElBQUksT0FBTztnQkFBRSxJQUFJLE1BQU0sQ0FBQyxNQUFNLEtBQUssVUFBVTtvQkFBRSxNQUFNLE1BQU0sQ0FBQyxNQUFNLENBQUM7UUFDdEYsQ0FBQztRQUNELEdBQUc7WUFDRCxLQUFLLE1BQU0sSUFBSSxJQUFJLE1BQU07Z0JBQUUsR0FBRyxDQUFDLElBQUksQ0FBQyxNQUFNLENBQUMsQ0FBQztRQUM5QyxDQUFDO1FBQ0QsNkVBQTZFO1FBQzdFLEdBQUc7WUFDRCxLQUFLLE1BQU0sSUFBSSxJQUFJLE1BQU0sQ0FBQyxhQUFhLENBQUMsTUFBTSxFQUFFO2dCQUFFLEdBQUcsQ0FBQyxJQUFJLENBQUMsTUFBTSxDQUFDLENBQUM7UUFDckUsQ0FBQztLQUNGLENBQUM7QUFDSixDQUFDO0FBRUQsU0FBUyxHQUFHLENBQUMsTUFBK0I7SUFDMUMsSUFBSSxNQUFNLEVBQUUsTUFBTTtRQUFFLE1BQU0sQ0FBQyxPQUFPLEVBQUUsQ0FBQztBQUN2QyxDQUFDIn0=
/**
 * Reads REDIS_URL; gives `undefined` when it is none. It is one of
 * - `redis://user:password@host:6379/0`, or `rediss:` for TLS,
 * - `unix://user:password@/path/to/redis.sock?db=0`,
 * - a cluster: one of its nodes with `?cluster=true`, or several with commas between them, all with the same password.
 *
 * User, password, port and database may be left out. Special characters are written as %XX.
 */
export function parseRedisUrl(text) {
    // A password may hold a comma too.
    const parts = text.split(/,(?=\w+:\/\/)/).map(parseOne);
    const [first] = parts;
    if (!first || !parts.every((part) => part !== undefined))
        return undefined;
    const nodes = parts.flatMap((part) => part.nodes);
    const cluster = first.cluster || parts.length > 1;
    const isOne = parts.every(({ tls, username, password }) => tls === first.tls && username === first.username && password === first.password);
    const canBeCluster = parts.every(({ socketPath, database }) => !socketPath && database === 0);
    return isOne && (canBeCluster || !cluster) ? { ...first, nodes, cluster } : undefined;
}
function parseOne(text) {
    let url;
    let texts;
    try {
        // A socket is usually written with a password and then no host, which is no URL.
        url = new URL(text.replace(/^unix:\/\/([^/]*@)?\//, "unix://$1localhost/"));
        texts = [url.username, url.password, url.pathname].map(decodeURIComponent);
    }
    catch {
        return undefined;
    }
    const { protocol, hostname, port, hash, searchParams } = url;
    const [username = "", password = "", path = ""] = texts;
    const isSocket = protocol === "unix:";
    const database = isSocket ? (searchParams.get("db") ?? "0") : path.slice(1) || "0";
    const cluster = searchParams.get("cluster") ?? "false";
    const isRedis = isSocket
        ? hostname === "localhost" && port === "" && path.length > 1
        : /^rediss?:$/.test(protocol) && /^(?:[\w.-]+|\[[\da-f:.]+\])$/i.test(hostname);
    const isClear = /^\d{1,4}$/.test(database) && /^(?:true|false)$/.test(cluster) && hash === "";
    const isKnown = [...searchParams.keys()].every((key) => key === (isSocket ? "db" : "cluster"));
    if (!isRedis || !isClear || !isKnown)
        return undefined;
    return {
        nodes: isSocket ? [] : [{ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 6379) }],
        socketPath: isSocket ? path : undefined,
        cluster: cluster === "true",
        tls: protocol === "rediss:",
        username: username || undefined,
        password: password || undefined,
        database: Number(database),
    };
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicmVkaXMtdXJsLmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsicmVkaXMtdXJsLnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiJBQWNBOzs7Ozs7O0dBT0c7QUFDSCxNQUFNLFVBQVUsYUFBYSxDQUFDLElBQVk7SUFDeEMsbUNBQW1DO0lBQ25DLE1BQU0sS0FBSyxHQUFHLElBQUksQ0FBQyxLQUFLLENBQUMsZUFBZSxDQUFDLENBQUMsR0FBRyxDQUFDLFFBQVEsQ0FBQyxDQUFDO0lBQ3hELE1BQU0sQ0FBQyxLQUFLLENBQUMsR0FBRyxLQUFLLENBQUM7SUFDdEIsSUFBSSxDQUFDLEtBQUssSUFBSSxDQUFDLEtBQUssQ0FBQyxLQUFLLENBQUMsQ0FBQyxJQUFJLEVBQUUsRUFBRSxDQUFDLElBQUksS0FBSyxTQUFTLENBQUM7UUFBRSxPQUFPLFNBQVMsQ0FBQztJQUUzRSxNQUFNLEtBQUssR0FBRyxLQUFLLENBQUMsT0FBTyxDQUFDLENBQUMsSUFBSSxFQUFFLEVBQUUsQ0FBQyxJQUFJLENBQUMsS0FBSyxDQUFDLENBQUM7SUFDbEQsTUFBTSxPQUFPLEdBQUcsS0FBSyxDQUFDLE9BQU8sSUFBSSxLQUFLLENBQUMsTUFBTSxHQUFHLENBQUMsQ0FBQztJQUNsRCxNQUFNLEtBQUssR0FBRyxLQUFLLENBQUMsS0FBSyxDQUN2QixDQUFDLEVBQUUsR0FBRyxFQUFFLFFBQVEsRUFBRSxRQUFRLEVBQUUsRUFBRSxFQUFFLENBQzlCLEdBQUcsS0FBSyxLQUFLLENBQUMsR0FBRyxJQUFJLFFBQVEsS0FBSyxLQUFLLENBQUMsUUFBUSxJQUFJLFFBQVEsS0FBSyxLQUFLLENBQUMsUUFBUSxDQUNsRixDQUFDO0lBQ0YsTUFBTSxZQUFZLEdBQUcsS0FBSyxDQUFDLEtBQUssQ0FBQyxDQUFDLEVBQUUsVUFBVSxFQUFFLFFBQVEsRUFBRSxFQUFFLEVBQUUsQ0FBQyxDQUFDLFVBQVUsSUFBSSxRQUFRLEtBQUssQ0FBQyxDQUFDLENBQUM7SUFDOUYsT0FBTyxLQUFLLElBQUksQ0FBQyxZQUFZLElBQUksQ0FBQyxPQUFPLENBQUMsQ0FBQyxDQUFDLENBQUMsRUFBRSxHQUFHLEtBQUssRUFBRSxLQUFLLEVBQUUsT0FBTyxFQUFFLENBQUMsQ0FBQyxDQUFDLFNBQVMsQ0FBQztBQUN4RixDQUFDO0FBRUQsU0FBUyxRQUFRLENBQUMsSUFBWTtJQUM1QixJQUFJLEdBQVEsQ0FBQztJQUNiLElBQUksS0FBZSxDQUFDO0lBQ3BCLElBQUksQ0FBQztRQUNILGlGQUFpRjtRQUNqRixHQUFHLEdBQUcsSUFBSSxHQUFHLENBQUMsSUFBSSxDQUFDLE9BQU8sQ0FBQyx1QkFBdUIsRUFBRSxxQkFBcUIsQ0FBQyxDQUFDLENBQUM7UUFDNUUsS0FBSyxHQUFHLENBQUMsR0FBRyxDQUFDLFFBQVEsRUFBRSxHQUFHLENBQUMsUUFBUSxFQUFFLEdBQUcsQ0FBQyxRQUFRLENBQUMsQ0FBQyxHQUFHLENBQUMsa0JBQWtCLENBQUMsQ0FBQztJQUM3RSxDQUFDO0lBQUMsTUFBTSxDQUFDO1FBQ1AsT0FBTyxTQUFTLENBQUM7SUFDbkIsQ0FBQztJQUNELE1BQU0sRUFBRSxRQUFRLEVBQUUsUUFBUSxFQUFFLElBQUksRUFBRSxJQUFJLEVBQUUsWUFBWSxFQUFFLEdBQUcsR0FBRyxDQUFDO0lBQzdELE1BQU0sQ0FBQyxRQUFRLEdBQUcsRUFBRSxFQUFFLFFBQVEsR0FBRyxFQUFFLEVBQUUsSUFBSSxHQUFHLEVBQUUsQ0FBQyxHQUFHLEtBQUssQ0FBQztJQUN4RCxNQUFNLFFBQVEsR0FBRyxRQUFRLEtBQUssT0FBTyxDQUFDO0lBQ3RDLE1BQU0sUUFBUSxHQUFHLFFBQVEsQ0FBQyxDQUFDLENBQUMsQ0FBQyxZQUFZLENBQUMsR0FBRyxDQUFDLElBQUksQ0FBQyxJQUFJLEdBQUcsQ0FBQyxDQUFDLENBQUMsQ0FBQyxJQUFJLENBQUMsS0FBSyxDQUFDLENBQUMsQ0FBQyxJQUFJLEdBQUcsQ0FBQztJQUNuRixNQUFNLE9BQU8sR0FBRyxZQUFZLENBQUMsR0FBRyxDQUFDLFNBQVMsQ0FBQyxJQUFJLE9BQU8sQ0FBQztJQUN2RCxNQUFNLE9BQU8sR0FBRyxRQUFRO1FBQ3RCLENBQUMsQ0FBQyxRQUFRLEtBQUssV0FBVyxJQUFJLElBQUksS0FBSyxFQUFFLElBQUksSUFBSSxDQUFDLE1BQU0sR0FBRyxDQUFDO1FBQzVELENBQUMsQ0FBQyxZQUFZLENBQUMsSUFBSSxDQUFDLFFBQVEsQ0FBQyxJQUFJLCtCQUErQixDQUFDLElBQUksQ0FBQyxRQUFRLENBQUMsQ0FBQztJQUNsRixNQUFNLE9BQU8sR0FBRyxXQUFXLENBQUMsSUFBSSxDQUFDLFFBQVEsQ0FBQyxJQUFJLGtCQUFrQixDQUFDLElBQUksQ0FBQyxPQUFPLENBQUMsSUFBSSxJQUFJLEtBQUssRUFBRSxDQUFDO0lBQzlGLE1BQU0sT0FBTyxHQUFHLENBQUMsR0FBRyxZQUFZLENBQUMsSUFBSSxFQUFFLENBQUMsQ0FBQyxLQUFLLENBQUMsQ0FBQyxHQUFHLEVBQUUsRUFBRSxDQUFDLEdBQUcsS0FBSyxDQUFDLFFBQVEsQ0FBQyxDQUFDLENBQUMsSUFBSSxDQUFDLENBQUMsQ0FBQyxTQUFTLENBQUMsQ0FBQyxDQUFDO0lBQy9GLElBQUksQ0FBQyxPQUFPLElBQUksQ0FBQyxPQUFPLElBQUksQ0FBQyxPQUFPO1FBQUUsT0FBTyxTQUFTLENBQUM7SUFFdkQsT0FBTztRQUNMLEtBQUssRUFBRSxRQUFRLENBQUMsQ0FBQyxDQUFDLEVBQUUsQ0FBQyxDQUFDLENBQUMsQ0FBQyxFQUFFLElBQUksRUFBRSxRQUFRLENBQUMsT0FBTyxDQUFDLFVBQVUsRUFBRSxFQUFFLENBQUMsRUFBRSxJQUFJLEVBQUUsTUFBTSxDQUFDLElBQUksSUFBSSxJQUFJLENBQUMsRUFBRSxDQUFDO1FBQy9GLFVBQVUsRUFBRSxRQUFRLENBQUMsQ0FBQyxDQUFDLElBQUksQ0FBQyxDQUFDLENBQUMsU0FBUztRQUN2QyxPQUFPLEVBQUUsT0FBTyxLQUFLLE1BQU07UUFDM0IsR0FBRyxFQUFFLFFBQVEsS0FBSyxTQUFTO1FBQzNCLFFBQVEsRUFBRSxRQUFRLElBQUksU0FBUztRQUMvQixRQUFRLEVBQUUsUUFBUSxJQUFJLFNBQVM7UUFDL0IsUUFBUSxFQUFFLE1BQU0sQ0FBQyxRQUFRLENBQUM7S0FDM0IsQ0FBQztBQUNKLENBQUMifQ==
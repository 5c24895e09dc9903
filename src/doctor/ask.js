import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
const mostBytes = 1024 * 1024;
/**
 * Sends one GET and follows no redirect. Plain node:http(s), for what tells the doctor most is left out by others:
 * the Date header, the certificate, and the code of a failure.
 *
 * @throws Error whose `code` says why there is no answer, ETIMEDOUT when there is none in time (default 10 s)
 */
export function ask(url, { ca, timeoutMs = 10_000 } = {}) {
    const send = url.startsWith("https:") ? httpsRequest : httpRequest;
    const asked = performance.now();
    return new Promise((resolve, reject) => {
        const request = send(url, { ca, agent: false, signal: AbortSignal.timeout(timeoutMs) }, (answer) => {
            // Taken now: after the answer the connection knows it no more.
            const validTo = answer.socket.getPeerCertificate?.().valid_to;
            const chunks = [];
            let length = 0;
            const done = () => {
                resolve({
                    status: answer.statusCode ?? 0,
                    headers: answer.headers,
                    body: Buffer.concat(chunks).toString("utf8"),
                    ms: Math.round(performance.now() - asked),
                    ...(validTo && { certificateEnds: new Date(validTo) }),
                });
                request.destroy();
            };
            answer.on("data", (chunk) => {
                chunks.push(chunk);
                length += chunk.length;
                if (length > mostBytes)
                    done();
            });
            answer.once("end", done);
            answer.once("error", failed);
        });
        request.on("error", failed).end();
        function failed(error) {
            const isLate = error.name === "AbortError" || error.name === "TimeoutError";
            reject(isLate ? Object.assign(new Error("no answer"), { code: "ETIMEDOUT" }) : error);
        }
    });
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoiYXNrLmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsiYXNrLnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiJBQUFBLE9BQU8sRUFBRSxPQUFPLElBQUksV0FBVyxFQUE0QixNQUFNLFdBQVcsQ0FBQztBQUM3RSxPQUFPLEVBQUUsT0FBTyxJQUFJLFlBQVksRUFBRSxNQUFNLFlBQVksQ0FBQztBQXFCckQsTUFBTSxTQUFTLEdBQUcsSUFBSSxHQUFHLElBQUksQ0FBQztBQUU5Qjs7Ozs7R0FLRztBQUNILE1BQU0sVUFBVSxHQUFHLENBQUMsR0FBVyxFQUFFLEVBQUUsRUFBRSxFQUFFLFNBQVMsR0FBRyxNQUFNLEVBQUUsR0FBZSxFQUFFO0lBQzFFLE1BQU0sSUFBSSxHQUFHLEdBQUcsQ0FBQyxVQUFVLENBQUMsUUFBUSxDQUFDLENBQUMsQ0FBQyxDQUFDLFlBQVksQ0FBQyxDQUFDLENBQUMsV0FBVyxDQUFDO0lBQ25FLE1BQU0sS0FBSyxHQUFHLFdBQVcsQ0FBQyxHQUFHLEVBQUUsQ0FBQztJQUNoQyxPQUFPLElBQUksT0FBTyxDQUFDLENBQUMsT0FBTyxFQUFFLE1BQU0sRUFBRSxFQUFFO1FBQ3JDLE1BQU0sT0FBTyxHQUFHLElBQUksQ0FBQyxHQUFHLEVBQUUsRUFBRSxFQUFFLEVBQUUsS0FBSyxFQUFFLEtBQUssRUFBRSxNQUFNLEVBQUUsV0FBVyxDQUFDLE9BQU8sQ0FBQyxTQUFTLENBQUMsRUFBRSxFQUFFLENBQUMsTUFBTSxFQUFFLEVBQUU7WUFDakcsK0RBQStEO1lBQy9ELE1BQU0sT0FBTyxHQUFJLE1BQU0sQ0FBQyxNQUFvQixDQUFDLGtCQUFrQixFQUFFLEVBQUUsQ0FBQyxRQUFRLENBQUM7WUFDN0UsTUFBTSxNQUFNLEdBQWEsRUFBRSxDQUFDO1lBQzVCLElBQUksTUFBTSxHQUFHLENBQUMsQ0FBQztZQUNmLE1BQU0sSUFBSSxHQUFHLEdBQUcsRUFBRTtnQkFDaEIsT0FBTyxDQUFDO29CQUNOLE1BQU0sRUFBRSxNQUFNLENBQUMsVUFBVSxJQUFJLENBQUM7b0JBQzlCLE9BQU8sRUFBRSxNQUFNLENBQUMsT0FBTztvQkFDdkIsSUFBSSxFQUFFLE1BQU0sQ0FBQyxNQUFNLENBQUMsTUFBTSxDQUFDLENBQUMsUUFBUSxDQUFDLE1BQU0sQ0FBQztvQkFDNUMsRUFBRSxFQUFFLElBQUksQ0FBQyxLQUFLLENBQUMsV0FBVyxDQUFDLEdBQUcsRUFBRSxHQUFHLEtBQUssQ0FBQztvQkFDekMsR0FBRyxDQUFDLE9BQU8sSUFBSSxFQUFFLGVBQWUsRUFBRSxJQUFJLElBQUksQ0FBQyxPQUFPLENBQUMsRUFBRSxDQUFDO2lCQUN2RCxDQUFDLENBQUM7Z0JBQ0gsT0FBTyxDQUFDLE9BQU8sRUFBRSxDQUFDO1lBQ3BCLENBQUMsQ0FBQztZQUNGLE1BQU0sQ0FBQyxFQUFFLENBQUMsTUFBTSxFQUFFLENBQUMsS0FBYSxFQUFFLEVBQUU7Z0JBQ2xDLE1BQU0sQ0FBQyxJQUFJLENBQUMsS0FBSyxDQUFDLENBQUM7Z0JBQ25CLE1BQU0sSUFBSSxLQUFLLENBQUMsTUFBTSxDQUFDO2dCQUN2QixJQUFJLE1BQU0sR0FBRyxTQUFTO29CQUFFLElBQUksRUFBRSxDQUFDO1lBQ2pDLENBQUMsQ0FBQyxDQUFDO1lBQ0gsTUFBTSxDQUFDLElBQUksQ0FBQyxLQUFLLEVBQUUsSUFBSSxDQUFDLENBQUM7WUFDekIsTUFBTSxDQUFDLElBQUksQ0FBQyxPQUFPLEVBQUUsTUFBTSxDQUFDLENBQUM7UUFDL0IsQ0FBQyxDQUFDLENBQUM7UUFDSCxPQUFPLENBQUMsRUFBRSxDQUFDLE9BQU8sRUFBRSxNQUFNLENBQUMsQ0FBQyxHQUFHLEVBQUUsQ0FBQztRQUVsQyxTQUFTLE1BQU0sQ0FBQyxLQUFZO1lBQzFCLE1BQU0sTUFBTSxHQUFHLEtBQUssQ0FBQyxJQUFJLEtBQUssWUFBWSxJQUFJLEtBQUssQ0FBQyxJQUFJLEtBQUssY0FBYyxDQUFDO1lBQzVFLE1BQU0sQ0FBQyxNQUFNLENBQUMsQ0FBQyxDQUFDLE1BQU0sQ0FBQyxNQUFNLENBQUMsSUFBSSxLQUFLLENBQUMsV0FBVyxDQUFDLEVBQUUsRUFBRSxJQUFJLEVBQUUsV0FBVyxFQUFFLENBQUMsQ0FBQyxDQUFDLENBQUMsS0FBSyxDQUFDLENBQUM7UUFDeEYsQ0FBQztJQUNILENBQUMsQ0FBQyxDQUFDO0FBQ0wsQ0FBQyJ9
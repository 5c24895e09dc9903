/**
 * Tells of each session that express-session makes: so a store can tell a new session from one that was destroyed
 * meanwhile. express-session assigns its own `generate` to the store, over any method of that name.
 */
export function onGenerate(store, note) {
    let generate;
    Object.defineProperty(store, "generate", {
        set: (assigned) => {
            generate = assigned;
        },
        get: () => (req) => {
            generate(req);
            note(req.session);
        },
    });
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoib24tZ2VuZXJhdGUuanMiLCJzb3VyY2VSb290IjoiIiwic291cmNlcyI6WyJvbi1nZW5lcmF0ZS50cyJdLCJuYW1lcyI6W10sIm1hcHBpbmdzIjoiQUFHQTs7O0dBR0c7QUFDSCxNQUFNLFVBQVUsVUFBVSxDQUFDLEtBQVksRUFBRSxJQUErQjtJQUN0RSxJQUFJLFFBQWdDLENBQUM7SUFDckMsTUFBTSxDQUFDLGNBQWMsQ0FBQyxLQUFLLEVBQUUsVUFBVSxFQUFFO1FBQ3ZDLEdBQUcsRUFBRSxDQUFDLFFBQXlCLEVBQUUsRUFBRTtZQUNqQyxRQUFRLEdBQUcsUUFBUSxDQUFDO1FBQ3RCLENBQUM7UUFDRCxHQUFHLEVBQUUsR0FBRyxFQUFFLENBQUMsQ0FBQyxHQUFZLEVBQUUsRUFBRTtZQUMxQixRQUFRLENBQUMsR0FBRyxDQUFDLENBQUM7WUFDZCxJQUFJLENBQUMsR0FBRyxDQUFDLE9BQU8sQ0FBQyxDQUFDO1FBQ3BCLENBQUM7S0FDRixDQUFDLENBQUM7QUFDTCxDQUFDIn0=
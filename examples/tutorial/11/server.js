import { createApp, loadConfig } from "arcgis-sign-in/server";

const config = loadConfig();

function routes({ router, auth }) {
  router.get("/me", auth.requireSignIn(), async (req, res) => {
    const identity = await req.arcgis.identity();
    const { fullName, role } = await identity.getUser({ request: req.arcgis.request });
    res.json({ fullName, role });
  });
}

const app = await createApp({ config, routes });
app.listen(config.port, config.host);

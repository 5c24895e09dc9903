import esriConfig from "@arcgis/core/config.js";
import { watch, whenOnce } from "@arcgis/core/core/reactiveUtils.js";
import FeatureLayer from "@arcgis/core/layers/FeatureLayer.js";
import EsriMap from "@arcgis/core/Map.js";
import MapView from "@arcgis/core/views/MapView.js";

esriConfig.assetsPath = "/maps-sdk/assets";

/**
 * Shows feature layers, and says of each how many features are drawn, or that the person may not see it. The place and
 * the scale stand in the address, as `#scale/latitude/longitude`: a page that has been away comes back to them.
 *
 * @param {string[]} urls
 */
export async function showMap(urls) {
  const layers = urls.map((url) => new FeatureLayer({ url, outFields: ["*"] }));
  const place = placeIn(location.hash);
  const view = new MapView({
    container: "map",
    // Without a basemap it needs nothing but our server and the portal.
    map: new EsriMap({ layers }),
    ...place,
  });
  const list = document.querySelector("#layers");
  await Promise.allSettled(layers.map((layer) => showState(view, layer, list.appendChild(newState()))));

  if (!place) await view.goTo(layers.flatMap(({ fullExtent }) => fullExtent ?? []));
  watch(
    () => view.stationary,
    (isStill) => {
      if (isStill) history.replaceState(undefined, "", hashOf(view));
    },
    { initial: true },
  );
}

async function showState(view, layer, item) {
  try {
    await layer.load();
    item.textContent = `${layer.title}: loading`;
    const layerView = await view.whenLayerView(layer);
    watch(
      () => layerView.updating,
      async (isUpdating) => {
        if (isUpdating) return;
        const count = await layerView.queryFeatureCount();
        item.dataset.drawn = String(count);
        item.textContent = `${layer.title}: ${count} in view`;
      },
      { initial: true },
    );
    await whenOnce(() => !layerView.updating);
  } catch (error) {
    const code = error.details?.httpStatus ?? error.details?.error?.details?.httpStatus ?? 0;
    item.dataset.refused = String(code);
    const [, service] = /\/services\/(.+?)\/\w+Server/.exec(layer.url) ?? [];
    item.textContent = `${service ?? "A layer"}: ${code === 403 ? "not for you" : "cannot be shown"}`;
    throw error;
  }
}

function newState() {
  const item = document.createElement("li");
  item.textContent = "A layer: loading";
  return item;
}

function placeIn(hash) {
  const [, scale, latitude, longitude] = /^#(\d+)\/(-?[\d.]+)\/(-?[\d.]+)$/.exec(hash) ?? [];
  if (longitude === undefined) return undefined;
  return { scale: Number(scale), center: [Number(longitude), Number(latitude)] };
}

function hashOf({ scale, center }) {
  return `#${Math.round(scale)}/${center.latitude.toFixed(5)}/${center.longitude.toFixed(5)}`;
}

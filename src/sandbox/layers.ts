import { cityParts, type Position, streetTrees } from "./city.ts";
import type { Geometry } from "./geometry.ts";
import { cityTrees } from "./people.ts";
import type { Attributes } from "./where.ts";

export interface Field {
  name: string;
  type: string;
  alias: string;
  length?: number;
  nullable?: boolean;
  editable?: boolean;
  domain?: object | null;
}

export interface Feature {
  attributes: Attributes & { OBJECTID: number };
  /** In degrees. */
  geometry: Geometry;
}

/** A feature service with one layer. ArcGIS shares whole services, so each of ours has its own rights. */
export interface Service {
  /** As it stands in the address: `rest/services/{name}/FeatureServer`. */
  name: string;
  description: string;
  /** The group whose members may see it; without one, everybody in the organisation may. */
  group?: string;
  layer: {
    name: string;
    geometryType: "esriGeometryPoint" | "esriGeometryPolygon";
    displayField: string;
    fields: Field[];
    renderer: object;
    features: Feature[];
  };
}

const objectId: Field = { name: "OBJECTID", type: "esriFieldTypeOID", alias: "OBJECTID", nullable: false };

const districts: Service = {
  name: "Districts",
  description: "The parts of the city, by how densely people live there. Borders and numbers are samples.",
  layer: {
    name: "City districts",
    geometryType: "esriGeometryPolygon",
    displayField: "NAME",
    fields: [
      objectId,
      { name: "NAME", type: "esriFieldTypeString", alias: "Name", length: 40 },
      {
        name: "DISTRICT",
        type: "esriFieldTypeString",
        alias: "District",
        length: 2,
        domain: codedValues("Districts", { BN: "Bonn", BE: "Beuel", GO: "Bad Godesberg", HA: "Hardtberg" }),
      },
      { name: "RESIDENTS", type: "esriFieldTypeInteger", alias: "Residents" },
      { name: "DENSITY", type: "esriFieldTypeDouble", alias: "Residents per hectare" },
      { name: "COUNTED", type: "esriFieldTypeDate", alias: "Counted on", length: 8 },
    ],
    renderer: {
      type: "classBreaks",
      field: "DENSITY",
      classificationMethod: "esriClassifyManual",
      minValue: 0,
      classBreakInfos: [
        breakUpTo(20, "Below 20 residents per hectare", [222, 235, 247, 190]),
        breakUpTo(40, "20 to 40", [158, 202, 225, 190]),
        breakUpTo(60, "40 to 60", [107, 174, 214, 190]),
        breakUpTo(200, "Above 60", [49, 130, 189, 190]),
      ],
    },
    features: cityParts.map(({ name, district, residents, ring }, index) => ({
      attributes: {
        OBJECTID: index + 1,
        NAME: name,
        DISTRICT: district,
        RESIDENTS: residents,
        DENSITY: Math.round((residents / hectares(ring)) * 10) / 10,
        COUNTED: Date.UTC(2023, 11, 31),
      },
      geometry: { rings: [ring.map((position) => [...position])] },
    })),
  },
};

const trees: Service = {
  name: "StreetTrees",
  description: "Trees in the streets, by what the last inspection found. All of them are samples.",
  group: cityTrees.id,
  layer: {
    name: "Street trees",
    geometryType: "esriGeometryPoint",
    displayField: "NAME",
    fields: [
      objectId,
      { name: "NAME", type: "esriFieldTypeString", alias: "Tree", length: 80 },
      { name: "TREE_NO", type: "esriFieldTypeString", alias: "Tree number", length: 12 },
      { name: "SPECIES", type: "esriFieldTypeString", alias: "Species", length: 40 },
      { name: "STREET", type: "esriFieldTypeString", alias: "Street", length: 60 },
      {
        name: "CONDITION",
        type: "esriFieldTypeString",
        alias: "Condition",
        length: 10,
        domain: codedValues("Conditions", {
          good: "Healthy",
          watch: "To be watched",
          prune: "To be pruned",
          danger: "Dangerous",
        }),
      },
      { name: "HEIGHT_M", type: "esriFieldTypeDouble", alias: "Height (m)" },
      {
        name: "PLANTED",
        type: "esriFieldTypeSmallInteger",
        alias: "Planted in",
        domain: { type: "range", name: "Years", range: [1850, 2100] },
      },
      { name: "INSPECTED", type: "esriFieldTypeDate", alias: "Last inspected", length: 8 },
      { name: "NOTE", type: "esriFieldTypeString", alias: "Note", length: 200, nullable: true },
    ],
    renderer: {
      type: "uniqueValue",
      field1: "CONDITION",
      field2: null,
      field3: null,
      fieldDelimiter: ",",
      defaultSymbol: null,
      defaultLabel: null,
      uniqueValueInfos: [
        valueShownAs("good", "Healthy", dot([53, 145, 77, 255], 9)),
        valueShownAs("watch", "To be watched", dot([240, 200, 8, 255], 9)),
        valueShownAs("prune", "To be pruned", dot([230, 126, 34, 255], 10)),
        valueShownAs("danger", "Dangerous", dot([198, 40, 40, 255], 12, "esriSMSDiamond")),
      ],
    },
    features: streetTrees.map((tree, index) => ({
      attributes: {
        OBJECTID: index + 1,
        NAME: tree.name,
        TREE_NO: tree.number,
        SPECIES: tree.species,
        STREET: tree.street,
        CONDITION: tree.condition,
        HEIGHT_M: tree.height,
        PLANTED: tree.planted,
        INSPECTED: tree.inspected,
        NOTE: tree.note,
      },
      geometry: { x: tree.at[0], y: tree.at[1] },
    })),
  },
};

/** The feature services of the sandbox's ArcGIS Server. */
export const services: readonly Service[] = [districts, trees];

function codedValues(name: string, values: Record<string, string>) {
  return {
    type: "codedValue",
    name,
    codedValues: Object.entries(values).map(([code, label]) => ({ name: label, code })),
  };
}

function breakUpTo(classMaxValue: number, label: string, color: number[]) {
  const outline = { type: "esriSLS", style: "esriSLSSolid", color: [52, 73, 94, 255], width: 1 };
  const symbol = { type: "esriSFS", style: "esriSFSSolid", color, outline };
  return { classMaxValue, label, description: "", symbol };
}

function valueShownAs(value: string, label: string, symbol: object) {
  return { value, label, description: "", symbol };
}

/** `size` is in points. */
function dot(color: number[], size: number, style = "esriSMSCircle") {
  const outline = { color: [255, 255, 255, 255], width: 1 };
  return { type: "esriSMS", style, color, size, angle: 0, xoffset: 0, yoffset: 0, outline };
}

/** The area within a small ring: half the sum of what each side spans (shoelace formula), in hectares. */
function hectares(ring: readonly Position[]): number {
  const [, latitude = 0] = ring[0] ?? [];
  const metresNorth = 111_195;
  const metresEast = metresNorth * Math.cos((latitude * Math.PI) / 180);
  const twice = ring.reduce((sum, [x, y], index) => {
    const [nextX, nextY] = ring[index + 1] ?? [x, y];
    return sum + x * nextY - nextX * y;
  }, 0);
  return (Math.abs(twice / 2) * metresNorth * metresEast) / 10_000;
}

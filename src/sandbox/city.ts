/** Longitude and latitude in degrees (WGS 84). */
export type Position = readonly [longitude: number, latitude: number];

/*
 * What the sandbox's layers show: the parts of Bonn and some trees in its streets. The place is real and so are
 * the names; the borders are drawn by hand, and the numbers, the trees and what is said of them are invented.
 */

/** The corners where borders meet. West (`w`) and east (`e`) of the Rhine, from the north to the south. */
const corners = {
  w1: [7.0755, 50.765],
  w2: [7.093, 50.7535],
  w3: [7.1085, 50.7365],
  w4: [7.117, 50.729],
  w5: [7.128, 50.7205],
  w6: [7.151, 50.7115],
  w7: [7.169, 50.695],
  w8: [7.1795, 50.684],
  e1: [7.081, 50.7695],
  e2: [7.099, 50.7565],
  e3: [7.114, 50.74],
  e4: [7.1335, 50.725],
  e5: [7.1565, 50.7155],
  e6: [7.1745, 50.6985],
  a1: [7.079, 50.748],
  a2: [7.058, 50.752],
  a3: [7.054, 50.764],
  a4: [7.038, 50.743],
  b1: [7.0925, 50.7375],
  b2: [7.079, 50.74],
  c1: [7.101, 50.727],
  c2: [7.091, 50.731],
  d1: [7.119, 50.715],
  d2: [7.104, 50.7165],
  f1: [7.08, 50.725],
  f2: [7.058, 50.724],
  f3: [7.056, 50.738],
  g1: [7.101, 50.705],
  g2: [7.08, 50.712],
  h1: [7.07, 50.7],
  h2: [7.042, 50.701],
  h3: [7.033, 50.716],
  h4: [7.04, 50.727],
  i1: [7.132, 50.705],
  i2: [7.115, 50.696],
  i3: [7.145, 50.703],
  j1: [7.16, 50.678],
  j2: [7.135, 50.683],
  k1: [7.132, 50.749],
  k2: [7.133, 50.766],
  k3: [7.102, 50.776],
  k4: [7.15, 50.737],
  k5: [7.188, 50.708],
  k6: [7.172, 50.73],
} as const satisfies Record<string, Position>;
type Corner = keyof typeof corners;

interface Part {
  name: string;
  /** The district it belongs to: a code of the layer's domain. */
  district: "BN" | "BE" | "GO" | "HA";
  residents: number;
  /** Clockwise. */
  border: Corner[];
}

const parts: Part[] = [
  { name: "Auerberg", district: "BN", residents: 11_940, border: ["w1", "w2", "a1", "a2", "a3"] },
  { name: "Tannenbusch", district: "BN", residents: 16_410, border: ["a1", "b2", "f3", "a4", "a2"] },
  { name: "Nordstadt", district: "BN", residents: 21_080, border: ["w2", "w3", "b1", "b2", "a1"] },
  { name: "Zentrum", district: "BN", residents: 9_760, border: ["w3", "w4", "c1", "c2", "b1"] },
  { name: "Südstadt", district: "BN", residents: 12_330, border: ["w4", "w5", "d1", "d2", "c1"] },
  { name: "Endenich", district: "BN", residents: 15_220, border: ["b1", "c2", "f1", "f2", "f3", "b2"] },
  { name: "Poppelsdorf", district: "BN", residents: 9_480, border: ["c1", "d2", "g1", "g2", "f1", "c2"] },
  { name: "Kessenich", district: "BN", residents: 13_150, border: ["d2", "d1", "i1", "i2", "g1"] },
  { name: "Gronau", district: "BN", residents: 4_870, border: ["w5", "w6", "i3", "i1", "d1"] },
  {
    name: "Duisdorf",
    district: "HA",
    residents: 19_630,
    border: ["f2", "f1", "g2", "h1", "h2", "h3", "h4"],
  },
  {
    name: "Plittersdorf",
    district: "GO",
    residents: 14_510,
    border: ["w6", "w7", "w8", "j1", "j2", "i2", "i1", "i3"],
  },
  { name: "Vilich", district: "BE", residents: 10_260, border: ["e1", "k3", "k2", "k1", "e3", "e2"] },
  { name: "Beuel", district: "BE", residents: 16_970, border: ["e3", "k1", "k4", "e4"] },
  { name: "Oberkassel", district: "BE", residents: 13_390, border: ["e4", "k4", "k6", "k5", "e6", "e5"] },
];

/** The parts of the city, each with its border as a closed ring. */
export const cityParts = parts.map(({ border, ...part }) => ({ ...part, ring: ringOf(border) }));

/** Streets by their two ends, with the number of trees to stand there. */
const streets: { name: string; from: Position; to: Position; trees: number; species: string }[] = [
  {
    name: "Poppelsdorfer Allee",
    from: [7.0968, 50.7314],
    to: [7.0921, 50.7257],
    trees: 9,
    species: "Chestnut",
  },
  { name: "Breite Straße", from: [7.0978, 50.7368], to: [7.0931, 50.7418], trees: 7, species: "Cherry" },
  { name: "Adenauerallee", from: [7.1078, 50.7322], to: [7.1205, 50.7208], trees: 8, species: "Plane" },
  { name: "Endenicher Allee", from: [7.0868, 50.7263], to: [7.0702, 50.7287], trees: 6, species: "Lime" },
  { name: "Römerstraße", from: [7.0998, 50.7442], to: [7.0893, 50.7527], trees: 6, species: "Plane" },
  { name: "Hausdorffstraße", from: [7.1087, 50.7168], to: [7.1171, 50.7064], trees: 5, species: "Maple" },
  { name: "Rochusstraße", from: [7.0563, 50.7177], to: [7.0436, 50.7128], trees: 5, species: "Oak" },
  { name: "Oppelner Straße", from: [7.0505, 50.7455], to: [7.0638, 50.7492], trees: 4, species: "Birch" },
  { name: "Hermannstraße", from: [7.1222, 50.7398], to: [7.1344, 50.7346], trees: 5, species: "Lime" },
  { name: "Königswinterer Straße", from: [7.1462, 50.7281], to: [7.1716, 50.7136], trees: 6, species: "Oak" },
];

const notes = [
  "Nest box <no. 7> & bats",
  "Roots lift the pavement",
  "Ivy up to the crown",
  "Struck by a van",
];

/** The trees of the streets. */
export const streetTrees = streets
  .flatMap(({ trees, from, to, ...street }, line) =>
    Array.from({ length: trees }, (_, index) => {
      // On one side of the street and on the other.
      const along = (index + 0.5) / trees;
      const aside = index % 2 === 0 ? 0.00018 : -0.00018;
      const at: Position = [
        from[0] + (to[0] - from[0]) * along + aside,
        from[1] + (to[1] - from[1]) * along + aside,
      ];
      return { ...street, place: index + 1, at, chance: chance(line * 31 + index) };
    }),
  )
  .map(({ name, place, species, at, chance }, index) => ({
    name: `${species} ${place}, ${name}`,
    number: `BN-${String(1041 + index * 7).padStart(5, "0")}`,
    species,
    street: name,
    at,
    condition: chance < 0.58 ? "good" : chance < 0.78 ? "watch" : chance < 0.93 ? "prune" : "danger",
    height: Math.round(40 + chance * 220) / 10,
    planted: 1962 + Math.round((1 - chance) * 55),
    inspected: Date.UTC(2024, 2, 4 + index, 8, 15),
    note: index % 9 === 4 ? (notes[(index % 4) as 0] ?? null) : null,
  }));

/** The border through these corners, closed, with a crooked line in place of each straight one. */
function ringOf(border: Corner[]): Position[] {
  const ring = border.flatMap((corner, index) =>
    lineTo(corner, border[(index + 1) % border.length] ?? corner),
  );
  return [...ring, corners[border[0] as Corner]];
}

/** The line from one corner to the next, without the latter; the same there and back, so that neighbours fit. */
function lineTo(from: Corner, to: Corner): Position[] {
  if (from > to) return [corners[from], ...lineTo(to, from).slice(1).reverse()];
  const [start, end] = [corners[from], corners[to]];
  const seed = (from.charCodeAt(0) * 37 + to.charCodeAt(0)) * 11 + from.charCodeAt(1) * 7 + to.charCodeAt(1);
  return Array.from({ length: 6 }, (_, step): Position => {
    const along = step / 6;
    const aside = step === 0 ? 0 : (chance(seed + step) - 0.5) * 0.14;
    const [east, north] = [end[0] - start[0], end[1] - start[1]];
    return [
      rounded(start[0] + east * along - north * aside),
      rounded(start[1] + north * along + east * aside),
    ];
  });
}

function rounded(degrees: number): number {
  return Math.round(degrees * 1e6) / 1e6;
}

/** A number from 0 to 1 that looks like chance and is always the same. */
function chance(seed: number): number {
  const wave = Math.sin(seed * 12.9898) * 43758.5453;
  return wave - Math.floor(wave);
}

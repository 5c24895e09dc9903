/** Where to read more: a text and a URL. */
export type Link = readonly [text: string, href: string];

export function rfc(number: number, section: string): Link {
  return [`RFC ${number}, ${section}`, `https://www.rfc-editor.org/rfc/rfc${number}#section-${section}`];
}

/** A page of the ArcGIS REST API reference. */
export function esri(name: string): Link {
  return [`Esri: ${name}`, `https://developers.arcgis.com/rest/users-groups-and-items/${name}/`];
}

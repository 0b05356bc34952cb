/** @module What runs ran on: a re-run as it was is one on the same. */

/** A version of the product, and its container image where the deployment names one. */
export interface Product {
  version: string;
  image: string | null;
}

/** What a run says of that; null version: it has not started yet. */
export interface RanOn {
  productVersion: string | null;
  image: string | null;
}

/** Did a run start on another one? */
export function isOtherProduct({ productVersion, image }: RanOn, now: Product): boolean {
  return productVersion !== null && (productVersion !== now.version || image !== now.image);
}

/** Why such a run is not run again as it was. */
export function whyOtherProduct({ productVersion, image }: RanOn, now: Product): string {
  return `it ran on ${nameOf({ version: productVersion!, image })}, and this is ${nameOf(now)}`;
}

function nameOf({ version, image }: Product): string {
  return image === null ? `Tidewheel ${version}` : `Tidewheel ${version} (${image})`;
}

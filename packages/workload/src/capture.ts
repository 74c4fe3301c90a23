import { fileURLToPath } from "node:url";

/** Where the shipped scrape of a node exporter lies: a real Prometheus exposition of 507 samples. */
export function captureUrl(): URL {
  return new URL("../data/node-exporter.prom", import.meta.url); // The same from src and from dist.
}

/** The same as a path, for `readExposition`. */
export function capturePath(): string {
  return fileURLToPath(captureUrl());
}

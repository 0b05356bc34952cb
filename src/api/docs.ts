/** @module The API's documentation: OpenAPI 3.1, and pages that show it without the internet. */
import swaggerFolder from "swagger-ui-dist/absolute-path";
import type { RouteBook } from "./route.ts";

/** What a document is about. */
export interface DocsOf {
  title: string;
  version: string;
  description: string;
}

/** The document of a book's routes. */
export function openApiDocument(
  book: RouteBook,
  { title, version, description }: DocsOf,
): object {
  const { app } = book;
  book.register();
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "An API token; the local one is in $TIDEWHEEL_HOME/token",
  });
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title, version, description, license: { name: "Apache-2.0" } },
    servers: [{ url: "/" }],
  });
}

const assets: Readonly<Record<string, string>> = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "favicon-32x32.png": "image/png",
};

/** Nothing may come from elsewhere; Swagger UI writes inline styles. */
const policy = "default-src 'none'; connect-src 'self'; script-src 'self'; " +
  "style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

/** The documentation page. */
export function docsPage(title: string): Response {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<link rel="icon" href="/api/docs/favicon-32x32.png">
</head>
<body>
<div id="docs"></div>
<noscript>The document itself is at <a href="/api/openapi.json">/api/openapi.json</a></noscript>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
`;
  return new Response(html, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
      "x-content-type-options": "nosniff",
    },
  });
}

const startScript = `SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: false,
  validatorUrl: null,
});
`;

/** A file of the documentation page, or null. */
export async function docsAsset(name: string): Promise<Response | null> {
  if (name === "start.js") {
    return new Response(startScript, {
      headers: { "content-type": "text/javascript; charset=utf-8" },
    });
  }
  const type = assets[name];
  if (type === undefined) return null;
  const data = await Deno.readFile(`${swaggerFolder()}/${name}`);
  return new Response(data, {
    headers: {
      "content-type": type,
      "cache-control": "public, max-age=86400",
    },
  });
}

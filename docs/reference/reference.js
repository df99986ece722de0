// The renderer with the document beside it, without anything that needs another host.

Scalar.createApiReference("#reference", {
  url: "../openapi.json",
  pageTitle: "Headcount API",
  theme: "default",
  layout: "modern",
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: "never",
  agent: { disabled: true },
  mcp: { disabled: true },
  documentDownloadType: "json",
  // Every schema is shown where it is used.
  hideModels: true,
  // Fields as the code has them.
  orderSchemaPropertiesBy: "preserve",
  orderRequiredPropertiesFirst: false,
  defaultOpenAllTags: true,
  defaultHttpClient: { targetKey: "shell", clientKey: "curl" },
});

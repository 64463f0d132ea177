// A file of its own, so that the page's security policy can forbid inline scripts.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  // The default asks a validator on the internet about every document.
  validatorUrl: null,
});

/** A child that hears nothing and never ends. */
process.on("message", () => {
  for (;;);
});

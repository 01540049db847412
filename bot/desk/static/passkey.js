// Asks this computer's or telephone's key to sign what the page was given, and posts the answer in the form (R26).
"use strict";

(() => {
  const form = document.querySelector("form[data-passkey]");
  const button = document.getElementById("use-passkey");
  const failed = document.getElementById("passkey-failed");
  if (!form || !window.PublicKeyCredential) return;

  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  const written = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const named = (list) => (list || []).map((key) => ({ ...key, id: bytes(key.id) }));

  function answered(key) {
    const said = key.response;
    const response = { clientDataJSON: written(said.clientDataJSON) };
    for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) if (said[part]) response[part] = written(said[part]);
    return JSON.stringify({ id: key.id, rawId: written(key.rawId), type: key.type, response, clientExtensionResults: {} });
  }

  async function ask() {
    const options = JSON.parse(form.dataset.passkey);
    options.challenge = bytes(options.challenge);
    if (options.user) {
      options.user.id = bytes(options.user.id);
      options.excludeCredentials = named(options.excludeCredentials);
      return navigator.credentials.create({ publicKey: options });
    }
    options.allowCredentials = named(options.allowCredentials);
    return navigator.credentials.get({ publicKey: options });
  }

  button.hidden = false;
  button.addEventListener("click", async () => {
    if (!form.reportValidity()) return;
    failed.hidden = true;
    try {
      form.elements.credential.value = answered(await ask());
      form.submit();
    } catch {
      failed.hidden = false;
    }
  });
})();

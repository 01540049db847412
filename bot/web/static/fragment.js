"use strict";
/* A secret behind the # of a link: taken out of the address at once, so that neither the history nor a reload keeps it, and put into the form. It is
   posted only when the resident presses the button: whoever only looks at the link, as previews do, cannot use it up (R15). */

(() => {
  const secret = decodeURIComponent(location.hash.slice(1));
  const form = document.querySelector("form[data-fragment]");
  const field = form.elements[form.dataset.fragment];
  history.replaceState(null, "", location.pathname + location.search);
  if (secret) field.value = secret;
  const missing = document.getElementById("no-link");
  if (missing) {
    missing.hidden = Boolean(secret);
    form.hidden = !secret;
  }
})();

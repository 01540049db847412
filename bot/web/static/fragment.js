"use strict";
/* A secret behind the # of a link: taken out of the address at once, so that neither the history nor a reload keeps it, and put into the form. It is
   posted only when the resident presses the button: whoever only looks at the link, as previews do, cannot use it up (R15). */

(() => {
  const form = document.querySelector("form[data-fragment]");
  const missing = document.getElementById("no-link");

  function take() {
    const secret = decodeURIComponent(location.hash.slice(1));
    const field = form.elements[form.dataset.fragment];
    if (secret) {
      history.replaceState(null, "", location.pathname + location.search);
      field.value = secret;
    }
    if (missing) {
      missing.hidden = Boolean(field.value);
      form.hidden = !field.value;
    }
  }

  take();
  window.addEventListener("hashchange", take);
})();

// Streamlit's entry: finds or makes the viewer of a place on the page, and hands it new data.

import { DetailViewer } from "./detail.js";
import { GalleryViewer } from "./gallery.js";
import { OutcomeViewer } from "./outcome.js";
import { RoiViewer } from "./roi.js";
import { ShowViewer } from "./show.js";
import { StripViewer } from "./strip.js";
import { followTheme } from "./theme.js";
import { el } from "./dom.js";

const VIEWERS = { gallery: GalleryViewer, strip: StripViewer, detail: DetailViewer, roi: RoiViewer, outcome: OutcomeViewer,
  show: ShowViewer };
const mounted = new WeakMap();

export default function mount({ data, parentElement, setStateValue, setTriggerValue }) {
  let place = mounted.get(parentElement);
  if (place && (place.use !== data.use || place.key !== data.key || !place.root.isConnected)) {
    place.viewer.destroy();
    place.root.remove();
    place = null;
  }
  if (!place) {
    const root = el("div", { class: `viewer ${data.use}-viewer` });
    parentElement.append(root);
    const send = {};
    const failure = el("p", { class: "failure", role: "alert", hidden: true });
    place = { use: data.use, key: data.key, root, send, failure, viewer: new VIEWERS[data.use](root, data, send) };
    root.append(failure);
    mounted.set(parentElement, place);
  }
  Object.assign(place.send, { state: setStateValue, event: setTriggerValue });
  followTheme(place.root);
  tellFailure(place, place.viewer.update(data));
  return () => {
    const gone = mounted.get(parentElement);
    gone?.viewer.destroy();
    gone?.root.remove();
    mounted.delete(parentElement);
  };
}

// Shows an error on the page until an update succeeds.
function tellFailure({ failure }, updated) {
  Promise.resolve(updated).then(() => (failure.hidden = true), (error) => {
    failure.textContent = `This view is not up to date: ${error.message} Reload the page to try again.`;
    failure.hidden = false;
  });
}

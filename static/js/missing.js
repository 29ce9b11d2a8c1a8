// An overlay whose room is not there: invisible in OBS, and it looks again by itself.

import { reload_when_served } from "./reload.js";

if (!window.obsstudio) document.getElementById("detail").hidden = false;
reload_when_served();

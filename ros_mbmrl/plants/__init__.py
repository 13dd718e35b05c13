"""What can be observed and commanded; one file a plant, one line here."""

from importlib import import_module
from typing import Any

from ros_mbmrl.errors import choose

# name -> "module:class". Modules are imported on use: naming a plant needs none of its packages.
PLANTS: dict[str, str] = {
    "twin": "ros_mbmrl.plants.twin:TwinPlant",
}


def plant_class(name: str) -> Any:
    """The class of the plant called `name`. Raises UserError for an unknown name."""
    choose("plant", name, PLANTS)
    module, cls = PLANTS[name].split(":")
    return getattr(import_module(module), cls)

"""Calibration of predicted variances on held-out rows, kept in the Gaussian heads.

A network knows the rows that it is fitted to better than others, so that its variance, fitted to
the same rows, is too small elsewhere. Each output's variance is scaled such that LEVEL of the
held-out changes lie within the central interval of LEVEL, as in split conformal prediction (Lei et
al. 2018). A quantile does not heed how wild the wildest rows are.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.networks.gaussian import scaled
from ros_mbmrl.networks.mlp import Parameters

LEVEL = 0.9
WITHIN = 2.7055  # square of how many deviations the interval of LEVEL reaches, of a Gaussian
LEAST, MOST = 0.01, 100.0  # of a scale
FEWEST = 20  # rows that a scale is taken from


@torch.inference_mode()
def calibrated_variance(
    model: DynamicsModel, parameters: Parameters, x: Tensor, y: Tensor
) -> tuple[Parameters, Tensor]:
    """Return parameters with calibrated variances, and the scale of each output's variance.

    Args:
        model: an ensemble with Gaussian heads.
        parameters: of the model.
        x: held-out inputs (M, inputs), normalised.
        y: their changes (M, outputs), normalised.
    """
    mlp = model.mlp
    assert isinstance(mlp, Ensemble)
    if len(x) < FEWEST:  # nothing can be told from so few
        return parameters, torch.ones(y.shape[1])
    means, variances = mlp.moments(parameters, mlp.no_update, x[None])
    assert variances is not None
    error = (y - means.mean(dim=0)[0]).square()
    disagreement, aleatoric = means.var(dim=0, correction=0)[0], variances.mean(dim=0)[0]
    # error < WITHIN (disagreement + scale aleatoric), solved for the scale of each row
    needed = (error / WITHIN - disagreement) / aleatoric
    scale = needed.kthvalue(round(LEVEL * len(x)), dim=0).values.clamp(LEAST, MOST)
    return scaled(parameters, scale), scale

"""The gradient of eq. 22 through gradient steps (GrBAL) by hand: no graph, no memory asked for.

With h the inputs of a layer and e the errors behind it, inner step s changes the layer by

    W <- W - a_s h_s^T e_s,  b <- b - b_s sum(e_s).

The gradient v of the future's loss with respect to the adapted parameters goes back through a
step as v <- v - H (a v), H the Hessian of the window's loss. H times a direction is the change of
h^T e along it: one more pass forward and back, of tangents h' and e'. Along -a v it gives

    v <- v + h_s^T e' + h'^T e_s,

so v stays a sum of pairs of inputs and errors, of low rank as the updates are (`dynamics.mlp`).
All that a task has of its own are products of its rows with each other, h h_s^T and e e_s^T, and
the weights' gradient is one product of all pairs of all tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.gradient import GradientStep
from ros_mbmrl.learning.models.buffers import Buffers
from ros_mbmrl.learning.models.objective import in_parts
from ros_mbmrl.networks.groups import PSI
from ros_mbmrl.networks.mlp import MLP, Parameters


class MetaGradient:
    """Loss and gradient of eq. 22, as autograd gives them through `meta_loss`.

    dtype: of products and activations; None: the parameters' own. Losses, and sums over tasks,
    are in the parameters' own whatever it is.
    """

    def __init__(self, mlp: MLP, rule: GradientStep, dtype: torch.dtype | None = None) -> None:
        self._mlp, self._rule, self._dtype = mlp, rule, dtype
        self._buffers = Buffers()

    @torch.no_grad()
    def __call__(
        self, parameters: Parameters, past: Support, future: Support
    ) -> tuple[Tensor, Parameters]:
        """Return the mean loss of the tasks, (), and its gradient by name."""
        layers, sizes = range(self._mlp.layers), self._rule.step_sizes(self._mlp, parameters)
        names = [f"{kind}{k}" for kind in "wb" for k in layers]
        sums = {name: torch.zeros_like(parameters[name]) for name in names}
        sums |= {"sizes": torch.zeros_like(sizes), "loss": sizes.new_zeros(())}
        cast = {name: parameters[name].to(self._dtype or sizes.dtype) for name in names}
        each_size = [of_step.unbind() for of_step in sizes.unbind()]
        network = _Network(self._mlp, self._rule.limit, cast, each_size, self._buffers)
        for part in in_parts(self._mlp, past, future):
            network.add(*part, sums)
        for each in sums.values():
            each /= len(past.x)
        if self._rule.meta_trained:  # their logarithms are trained
            slopes = (sums["sizes"] * sizes).unbind(dim=1)
            sums |= PSI.named(dict(zip(names, slopes, strict=True)))
        loss = sums.pop("loss")
        del sums["sizes"]
        return loss, sums


class _Pass(NamedTuple):
    """A way through the network and back; lists are by layer.

    inputs (n, T, inputs). errors (n, T, outputs): behind the layer. over_inputs, over_errors:
    their products with those of every inner step before, (n, T, T1).
    """

    name: str
    inputs: list[Tensor]
    errors: list[Tensor]
    over_inputs: list[list[Tensor]]
    over_errors: list[list[Tensor]]


class _Pair(NamedTuple):
    """A part of v: left's inputs times right's errors. in_bias: these errors are in b's, too."""

    left: _Pass
    right: _Pass
    in_bias: bool


@dataclass
class _Local:
    """Parts of a pass that its tangents need; lists are by hidden layer, (n, T, units).

    slopes: first derivatives of the activations. bends: minus their second ones. backs: errors
    behind them. stiffness: second derivative of the loss, (n, T, outputs).
    """

    slopes: list[Tensor]
    bends: list[Tensor]
    backs: list[Tensor]
    stiffness: Tensor


class _Network:
    """The prior, in the type of the products, and the sizes of each step, (2 layers)."""

    def __init__(
        self,
        mlp: MLP,
        limit: float,
        prior: Parameters,
        sizes: Sequence[Sequence[Tensor]],
        buffers: Buffers,
    ) -> None:
        self._mlp, self._limit, self._prior = mlp, limit, prior
        self._sizes, self._buffers = sizes, buffers
        self._layers, self._hidden = range(mlp.layers), range(mlp.layers - 1)
        self._one, self._zero = (prior["w0"].new_tensor(value) for value in (1.0, 0.0))

    def add(self, past: Support, future: Support, sums: Parameters) -> None:
        """Add the losses of some tasks, and their gradients, to `sums`."""
        count = len(self._sizes)
        stacks, end, steps, tangents = self._lay_out(past.x, future.x)
        local = [self._descend(steps[s], steps[:s], past) for s in range(count)]
        sums["loss"] += self._judge(end, steps, future)
        pairs = [_Pair(end, end, True)]
        for s in reversed(range(count)):
            step, tangent = steps[s], tangents[s]
            self._add_sizes(pairs, s, sums["sizes"][s])
            self._differentiate(tangent, steps[:s], local[s], pairs)
            pairs += [_Pair(step, tangent, True), _Pair(tangent, step, False)]
        in_bias = end.inputs[0].shape[:2].numel() + count * past.x.shape[:2].numel()
        for k, (left, right) in enumerate(stacks):
            w, b = sums[f"w{k}"], sums[f"b{k}"]
            if w.dtype == left.dtype:
                torch.addmm(w, left.T, right, out=w)
            else:
                w += left.T @ right
            b += right[:in_bias].sum(dim=0, dtype=b.dtype)

    def _lay_out(
        self, past: Tensor, future: Tensor
    ) -> tuple[list[tuple[Tensor, Tensor]], _Pass, list[_Pass], list[_Pass]]:
        """Return inputs and errors by layer, stacked as the pairs of v, and the passes over them.

        The stacks are (inputs, errors) of a layer.
        """
        count = len(self._sizes)
        shapes = [future.shape[:2], *[past.shape[:2]] * (2 * count)]
        lefts, inputs = self._buffers.stacks("inputs", self._mlp.sizes[:-1], shapes, self._one)
        rights, errors = self._buffers.stacks("errors", self._mlp.sizes[1:], shapes, self._one)
        end = _new("end", inputs[0], errors[0])
        steps = [_new(f"step {s}", inputs[1 + s], errors[1 + count + s]) for s in range(count)]
        tangents = [_new("tangent", inputs[1 + count + s], errors[1 + s]) for s in range(count)]
        for way, x in [(end, future), *((step, past) for step in steps)]:
            way.inputs[0].copy_(x)
        for way in tangents:
            way.inputs[0].zero_()
        return list(zip(lefts, rights, strict=True)), end, steps, tangents

    def _descend(self, step: _Pass, before: list[_Pass], past: Support) -> _Local:
        """Take an inner step: its errors are the gradient of the robust loss."""
        slopes, bends = self._forward(step, before, bent=True)
        residual = step.errors[-1].to(past.y.dtype) - past.y
        pull = past.scale / residual.shape[-1] * past.share
        step.errors[-1].copy_(residual.clamp(-self._limit, self._limit) * pull)
        stiffness = ((residual.abs() <= self._limit) * pull).to(step.errors[-1].dtype)
        backs = [self._buffer(f"{step.name} back {k}", slopes[k].shape) for k in self._hidden]
        for k in reversed(self._hidden):
            self._back(k + 1, step, before, backs[k])
            torch.mul(backs[k], slopes[k], out=step.errors[k])
        self._compare_errors(0, step, before)
        return _Local(slopes, bends, backs, stiffness)

    def _judge(self, end: _Pass, before: list[_Pass], future: Support) -> Tensor:
        """Return the future's loss, summed over tasks; errors are its gradient."""
        slopes, _ = self._forward(end, before, bent=False)
        residual = end.errors[-1].to(future.y.dtype) - future.y
        pull = residual * (future.scale / residual.shape[-1] * future.share)
        end.errors[-1].copy_(2 * pull)
        for k in reversed(self._hidden):
            self._back(k + 1, end, before, end.errors[k])
            end.errors[k].mul_(slopes[k])
        self._compare_errors(0, end, before)
        return (pull * residual).sum()

    def _differentiate(
        self, tangent: _Pass, before: list[_Pass], local: _Local, pairs: list[_Pair]
    ) -> None:
        """Compute changes of inputs and errors of the step after those `before`, along -a v."""
        s, changes = len(before), []
        for k in self._layers:
            last = k not in self._hidden
            out = tangent.errors[k] if last else self._buffer(f"change {k}", local.slopes[k].shape)
            self._through(k, tangent, before, out)
            for left, right, in_bias in pairs:
                pull = self._scaled(left.over_inputs[k][s], s, k, in_bias)
                torch.baddbmm(out, pull.mT, right.errors[k], out=out)
            if not last:
                changes.append(out)
                torch.mul(out, local.slopes[k], out=tangent.inputs[k + 1])
        tangent.errors[-1].mul_(local.stiffness)
        for k in reversed(self._hidden):
            out = tangent.errors[k]
            self._back(k + 1, tangent, before, out)
            for left, right, _ in pairs:
                pull = right.over_errors[k + 1][s] * -self._sizes[s][k + 1]
                torch.baddbmm(out, pull.mT, left.inputs[k + 1], out=out)
            out.mul_(local.slopes[k])
            out.addcmul_(changes[k].mul_(local.bends[k]), local.backs[k], value=-1)
        self._compare_errors(0, tangent, before)

    def _forward(
        self, way: _Pass, before: list[_Pass], bent: bool
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Compute the outputs, in place of their errors to come; return slopes and bends."""
        slopes, bends = [], []
        for k in self._layers:
            out = way.inputs[k + 1] if k in self._hidden else way.errors[k]
            self._through(k, way, before, out, self._prior[f"b{k}"])
            if k in self._hidden:
                slope = self._buffer(f"{way.name} slope {k}", out.shape)
                bend = self._buffer(f"{way.name} bend {k}", out.shape) if bent else None
                self._act(out, slope, bend)
                slopes.append(slope)
                if bend is not None:
                    bends.append(bend)
        return slopes, bends

    def _act(self, z: Tensor, slope: Tensor, bend: Tensor | None) -> None:
        """z becomes h, its activation; h' and -h'' are written beside."""
        if self._mlp.activation == "tanh":
            h = z.tanh_()
            torch.addcmul(self._one, h, h, value=-1, out=slope)  # 1 - h^2
            if bend is not None:
                torch.mul(h, slope, out=bend).mul_(2)
            return
        if self._mlp.activation == "relu":
            slope.copy_(z.relu_() > 0)
            if bend is not None:
                bend.zero_()
            return
        gate = torch.sigmoid(z, out=self._buffer("gate", z.shape))
        h = z.mul_(gate)
        torch.lerp(h, self._one, gate, out=slope)  # h + g (1 - h)
        if bend is not None:
            torch.lerp(torch.sub(h, slope, alpha=2, out=bend), self._zero, gate, out=bend)

    def _through(
        self, k: int, way: _Pass, before: list[_Pass], out: Tensor, bias: Tensor | None = None
    ) -> None:
        """Take inputs of layer k to `out`, as the steps `before` left it; tangents: no bias."""
        rows, weight = way.inputs[k].flatten(0, 1), self._prior[f"w{k}"]
        if bias is None:
            torch.mm(rows, weight, out=out.flatten(0, 1))
        else:
            torch.addmm(bias, rows, weight, out=out.flatten(0, 1))
        for s, step in enumerate(before):
            over = torch.bmm(way.inputs[k], step.inputs[k].mT)
            way.over_inputs[k].append(over)
            pull = self._scaled(over, s, k, bias is not None)
            torch.baddbmm(out, pull, step.errors[k], out=out)

    def _back(self, k: int, way: _Pass, before: list[_Pass], out: Tensor) -> None:
        """Take errors behind layer k to `out` before it, as the steps `before` left it."""
        rows, weight = way.errors[k].flatten(0, 1), self._prior[f"w{k}"]
        torch.mm(rows, weight.T, out=out.flatten(0, 1))
        self._compare_errors(k, way, before)
        for s, step in enumerate(before):
            pull = way.over_errors[k][s] * -self._sizes[s][k]
            torch.baddbmm(out, pull, step.inputs[k], out=out)

    def _compare_errors(self, k: int, way: _Pass, before: list[_Pass]) -> None:
        way.over_errors[k].extend(torch.bmm(way.errors[k], step.errors[k].mT) for step in before)

    def _scaled(self, over: Tensor, s: int, k: int, in_bias: bool) -> Tensor:
        """Return the factors of the errors of step s: its step sizes, and that of the bias."""
        pull = over * -self._sizes[s][k]
        return pull.sub_(self._sizes[s][self._mlp.layers + k]) if in_bias else pull

    def _add_sizes(self, pairs: list[_Pair], s: int, total: Tensor) -> None:
        """Add -<v, gradient of step s>, (2 layers)."""
        for left, right, in_bias in pairs:
            for k in self._layers:
                over = right.over_errors[k][s].to(total.dtype)
                total[k] -= (left.over_inputs[k][s] * over).sum()
                if in_bias:
                    total[self._mlp.layers + k] -= over.sum()

    def _buffer(self, name: str, shape: Sequence[int]) -> Tensor:
        return self._buffers.of(name, shape, self._one)


def _new(name: str, inputs: list[Tensor], errors: list[Tensor]) -> _Pass:
    return _Pass(name, inputs, errors, [[] for _ in inputs], [[] for _ in errors])

"""Who trains: this package's engine and estimator, and its peers, each as its users would have it at its fastest.

A contestant is made with a workload, its data and its first weights, and then

    run(orders)     trains an epoch for each array of row numbers (updates, batch), and waits for the end
    weights()       (W (n_in, n_out), b) of each layer as they stand
    settings        ways to run among which the fastest is kept; use(setting) changes to one
    data            bytes of the data in the form that it takes

It imports its library when it is made: each lives in a process of its own.
"""

from __future__ import annotations

import os
import time
import warnings
from typing import Any

import numpy as np
from workloads import Table, Workload

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
THREADS = sorted({1, CORES})


class Engine:
    """chainrule: a session of its fastest engine, a call for each epoch."""

    settings: tuple[Any, ...] = ()

    def __init__(self, workload: Workload, data: Table, weights: list[Any], threads: int | None = None) -> None:
        from chainrule.engines import Task, choose

        network, optimizer = network_and_optimizer(workload, weights)
        self.rate, self.network, self.whole = workload.rate, network, workload.rows == workload.batch
        task = Task(network, data.x, data.t, optimizer, threads=threads)
        self.session = choose("auto", task).Session(task)
        self.data = data.x.nbytes + data.t.nbytes

    def run(self, orders: list[Any]) -> None:
        for order in orders:
            batches = [slice(None)] * len(order) if self.whole else list(order)
            self.session.advance(batches, [self.rate] * len(order))

    def weights(self) -> list[Any]:
        return [(p["W"].T, p["b"]) for p in self.network.views(self.session.parameters)]


def network_and_optimizer(workload: Workload, weights: list[Any]) -> tuple[Any, Any]:
    """The workload in chainrule's words."""
    from chainrule.network import Network
    from chainrule.rules.layers import Dense
    from chainrule.rules.optimizers import SGD, Adam

    names = [workload.activation] * (len(workload.widths) - 2) + [workload.last]
    layers = [Dense(units, name) for units, name in zip(workload.widths[1:], names, strict=True)]
    network = Network(layers, workload.widths[0], workload.loss, dtype=np.dtype(workload.dtype))
    for p, (w, b) in zip(network.views(network.parameters), weights, strict=True):
        p["W"][...], p["b"][...] = w.T, b
    return network, {"sgd": SGD, "adam": Adam}[workload.optimizer](learning_rate=workload.rate)


class Train:
    """chainrule.train: what is called for a network that is no estimator."""

    settings: tuple[Any, ...] = ()

    def __init__(self, workload: Workload, data: Table, weights: list[Any]) -> None:
        import chainrule

        self.train, self.workload, self.table = chainrule.train, workload, data
        self.network, self.optimizer = network_and_optimizer(workload, weights)
        self.data = data.x.nbytes + data.t.nbytes

    def run(self, orders: list[Any]) -> None:
        updates = len(orders) * self.workload.updates
        self.train(self.network, self.table.x, self.table.t, self.optimizer, updates=updates, batch_size=self.workload.batch)

    def weights(self) -> list[Any]:
        return [(p["W"].T, p["b"]) for p in self.network.views(self.network.parameters)]


class Estimator:
    """An estimator's `fit`, going on where the last one ended. It draws its own first weights and shuffles by itself."""

    settings: tuple[Any, ...] = ()
    room = "chainrule"

    def __init__(self, workload: Workload, data: Table, weights: list[Any]) -> None:
        from importlib import import_module

        from sklearn.exceptions import ConvergenceWarning

        warnings.simplefilter("ignore", ConvergenceWarning)  # it ends after so many epochs because it is told to
        made = getattr(import_module(self.room), "MLPClassifier" if workload.classes else "MLPRegressor")
        self.model = made(
            hidden_layer_sizes=workload.widths[1:-1],
            activation=workload.activation,
            alpha=0.0,
            batch_size=workload.batch,
            learning_rate_init=workload.rate,
            tol=0.0,
            n_iter_no_change=np.inf,
            warm_start=True,
            random_state=0,
        )
        self.x, self.y = data.x, data.labels if workload.classes else data.t.ravel()
        self.data = self.x.nbytes + self.y.nbytes

    def run(self, orders: list[Any]) -> None:
        self.model.set_params(max_iter=len(orders)).fit(self.x, self.y)

    def weights(self) -> list[Any]:
        return list(zip(self.model.coefs_, self.model.intercepts_, strict=True))


class ScikitLearn(Estimator):
    """scikit-learn, with as many threads of its BLAS as are fastest."""

    room = "sklearn.neural_network"
    settings = tuple(f"{n} thread{'s' * (n > 1)}" for n in THREADS)

    def use(self, setting: str) -> None:
        from threadpoolctl import threadpool_limits

        threadpool_limits(int(setting.split()[0]))


class Torch:
    """PyTorch, one line of Python after the other, with as many threads as are fastest."""

    settings = ScikitLearn.settings
    fused: bool | None = None

    def __init__(self, workload: Workload, data: Table, weights: list[Any], threads: int | None = None) -> None:
        import torch
        from torch import nn

        self.torch = torch
        if threads or workload.rows == 1:  # one row gives threads nothing to share
            self.use(f"{threads or 1} threads")
            self.settings = ()
        activation = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}[workload.activation]
        self.layers = [nn.Linear(len(w), len(b), dtype=getattr(torch, workload.dtype)) for w, b in weights]
        with torch.no_grad():
            for layer, (w, b) in zip(self.layers, weights, strict=True):
                layer.weight.copy_(torch.from_numpy(w.T)), layer.bias.copy_(torch.from_numpy(b))
        modules = [each for layer in self.layers[:-1] for each in (layer, activation())] + [self.layers[-1]]
        self.model = nn.Sequential(*modules, *([nn.Sigmoid()] if workload.last == "sigmoid" else []))
        parameters = list(self.model.parameters())
        made = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[workload.optimizer]
        self.optimizer = made(parameters, lr=workload.rate, fused=self.fused)
        self.loss = nn.CrossEntropyLoss() if workload.classes else nn.MSELoss()
        self.factor = 0.5 * workload.widths[-1] if workload.loss.startswith("half") else 1
        self.whole = workload.rows == workload.batch
        self.x = torch.from_numpy(data.x)
        self.t = torch.from_numpy(data.labels if workload.classes else data.t)
        self.data = self.x.nbytes + self.t.nbytes

    def use(self, setting: str) -> None:
        self.torch.set_num_threads(int(setting.split()[0]))

    def run(self, orders: list[Any]) -> None:
        x, t, model, loss, optimizer, factor = self.x, self.t, self.model, self.loss, self.optimizer, self.factor
        for order in orders:
            for index in self.torch.from_numpy(order):
                error = loss(model(x), t) * factor if self.whole else loss(model(x[index]), t[index])
                optimizer.zero_grad()
                error.backward()
                optimizer.step()

    def weights(self) -> list[Any]:
        return [(layer.weight.detach().numpy().T, layer.bias.detach().numpy()) for layer in self.layers]


class TorchFused(Torch):
    """PyTorch with its optimizer's fused kernel."""

    fused = True


class Jax:
    """JAX: an epoch is one compiled scan over its batches."""

    settings: tuple[Any, ...] = ("rows by step", "rows ahead")

    def __init__(self, workload: Workload, data: Table, weights: list[Any]) -> None:
        import jax
        import jax.numpy as jnp

        if workload.dtype == "float64":
            jax.config.update("jax_enable_x64", True)
        self.jax, self.jnp, self.workload = jax, jnp, workload
        start = [(jnp.array(w), jnp.array(b)) for w, b in weights]
        zeros = jax.tree.map(jnp.zeros_like, start)
        self.state = (start, zeros, jax.tree.map(jnp.copy, zeros), jnp.zeros((), jnp.int32))
        self.x, self.t = jnp.asarray(data.x), jnp.asarray(data.t)
        self.data = data.x.nbytes + data.t.nbytes
        step = self._sgd if workload.optimizer == "sgd" else self._adam

        def by_step(state: Any, x: Any, t: Any, order: Any) -> Any:
            return jax.lax.scan(lambda state, index: step(state, x[index], t[index]), state, order)

        def ahead(state: Any, x: Any, t: Any, order: Any) -> Any:
            return jax.lax.scan(lambda state, rows: step(state, *rows), state, (x[order], t[order]))

        def whole(state: Any, x: Any, t: Any, order: Any) -> Any:
            return jax.lax.scan(lambda state, _: step(state, x, t), state, None, length=len(order))

        if workload.rows == workload.batch:
            self.settings, self.ways = (), {"": jax.jit(whole, donate_argnums=0)}
            self.use("")
        else:
            self.ways = {
                self.settings[0]: jax.jit(by_step, donate_argnums=0),
                self.settings[1]: jax.jit(ahead, donate_argnums=0),
            }
            self.use(self.settings[0])

    def use(self, setting: str) -> None:
        self.epoch = self.ways[setting]

    def _error(self, weights: Any, x: Any, t: Any) -> Any:
        jax, jnp, workload = self.jax, self.jnp, self.workload
        activate = {"relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}
        *hidden, (w, b) = weights
        for inner, bias in hidden:
            x = activate[workload.activation](x @ inner + bias)
        z = x @ w + b
        if workload.classes:
            return -(t * jax.nn.log_softmax(z)).sum(1).mean()
        if workload.last == "sigmoid":
            return 0.5 * ((jax.nn.sigmoid(z) - t) ** 2).sum(1).mean()
        return ((z - t) ** 2).mean()

    def _sgd(self, state: Any, x: Any, t: Any) -> Any:
        weights, *rest = state
        error, slope = self.jax.value_and_grad(self._error)(weights, x, t)
        return (self.jax.tree.map(lambda w, g: w - self.workload.rate * g, weights, slope), *rest), error

    def _adam(self, state: Any, x: Any, t: Any) -> Any:
        weights, first, second, k = state
        jnp, tree, k = self.jnp, self.jax.tree, k + 1
        error, slope = self.jax.value_and_grad(self._error)(weights, x, t)
        first = tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, slope)
        second = tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, slope)
        rate = self.workload.rate * jnp.sqrt(1 - 0.999**k) / (1 - 0.9**k)
        epsilon = 1e-8 * jnp.sqrt(1 - 0.999**k)
        moved = tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + epsilon), weights, first, second)
        return (moved, first, second, k), error

    def run(self, orders: list[Any]) -> None:
        for order in orders:
            self.state, losses = self.epoch(self.state, self.x, self.t, order)
        losses.block_until_ready()

    def weights(self) -> list[Any]:
        return [(np.asarray(w), np.asarray(b)) for w, b in self.state[0]]


class Machine:
    """No contestant, but what the machine allows: matrix products and copies, by a library that is good at them."""

    def __init__(self, library: str, what: str, threads: int, size: int = 1024) -> None:
        self.amount = 2.0 * size**3
        if library == "NumPy":
            from threadpoolctl import threadpool_limits

            threadpool_limits(threads)
            make, self.product, self.copy = np.ones, np.matmul, lambda a, b: np.copyto(b, a)
        else:
            import torch

            torch.set_num_threads(threads)
            make, self.copy = torch.ones, lambda a, b: b.copy_(a)
            self.product = lambda a, b, out: torch.mm(a, b, out=out)
        dtype = np.float32 if library == "NumPy" else torch.float32
        if what == "copy":
            a, b = make(2**26, dtype=dtype), make(2**26, dtype=dtype)
            self.amount, self.do = 4.0 * 2**26, lambda: self.copy(a, b)
        else:
            a, b, out = (make((size, size), dtype=dtype) for _ in range(3))
            self.do = lambda: self.product(a, b, out=out)

    def rate(self, seconds: float) -> float:
        """The best of so many seconds, in operations (bytes copied) a second."""
        best, end = np.inf, time.perf_counter() + seconds
        while (begun := time.perf_counter()) < end:
            self.do()
            best = min(best, time.perf_counter() - begun)
        return self.amount / best


CONTESTANTS = {
    "chainrule engine": Engine,
    "chainrule estimator": Estimator,
    "chainrule.train": Train,
    "scikit-learn": ScikitLearn,
    "PyTorch eager": Torch,
    "PyTorch fused": TorchFused,
    "JAX scan": Jax,
}

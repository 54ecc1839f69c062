#!/usr/bin/env python3
"""Dumps ten steps of torch.optim.AdamW on three small tables and a matrix, as a C header.

    adamw.py > tests/tch/adamw_reference.h

The parameters, gradients and settings are formulas that tests/tch/test_adamw.c repeats: loss = sum(embed * c) + sum(w * d).
Row 5 of the word table is never used. Prints the norm of the gradients before clipping of each step, then the parameters
and the moments after the last.
"""
import torch

STEPS, WIDTH, TOKENS = 10, 8, 3
SHAPES = {"word": (6, WIDTH), "position": (4, WIDTH), "type": (2, WIDTH), "w": (5, 3)}
DECAY = {"word": 0.01, "position": 0.1, "type": 0.0, "w": 0.01}


def formula(phase, shape):
    count = shape[0] * shape[1]
    return torch.sin(0.37 * torch.arange(count, dtype=torch.float64) + phase).to(torch.float32).reshape(shape)


def main():
    params = {name: torch.nn.Parameter(formula(i, shape)) for i, (name, shape) in enumerate(SHAPES.items())}
    optimizer = torch.optim.AdamW([{"params": [p], "weight_decay": DECAY[name]} for name, p in params.items()],
                                  lr=0.1, betas=(0.9, 0.999), eps=1e-8, foreach=False, fused=False)
    norms = []
    for step in range(STEPS):
        ids = torch.tensor([step % 5, 2 * step % 5, step % 5])
        embedded = (torch.nn.functional.embedding(ids, params["word"])
                    + torch.nn.functional.embedding(torch.arange(TOKENS), params["position"])
                    + torch.nn.functional.embedding(torch.tensor([0, 0, 1]), params["type"]))
        loss = (embedded * formula(1.1 * step, (TOKENS, WIDTH))).sum() + (params["w"] * formula(0.3 * step, (5, 3))).sum()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(params.values(), 2.0).item())
        for group in optimizer.param_groups:
            group["lr"] = 0.05 * (1 - step / 10)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    def array(name, values):
        rows = [", ".join(f"{v:.9g}" for v in values[i:i + 8]) for i in range(0, len(values), 8)]
        print(f"static const double {name}[{len(values)}] = {{\n    " + ",\n    ".join(rows) + "};")

    print(f"/* Written by scripts/reference/adamw.py from torch {torch.__version__.split('+')[0]}. */")
    array("reference_norms", norms)
    for name, p in params.items():
        array(f"reference_{name}", p.detach().flatten().tolist())
        array(f"reference_{name}_moment1", optimizer.state[p]["exp_avg"].flatten().tolist())
        array(f"reference_{name}_moment2", optimizer.state[p]["exp_avg_sq"].flatten().tolist())


if __name__ == "__main__":
    main()
